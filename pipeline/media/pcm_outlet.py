"""The outlet of a line over a websocket: frames go out as packets of PCM, each with the 5 ms before it (V4).

The page fades what ends and cross-fades what follows, so no silent frames are sent after sound.
"""

from collections.abc import Callable

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.numbers import PACKET_MS
from pipeline.contracts.packets import PCM16, pack_voice
from pipeline.media.edges import VOICE_RATE_HZ
from pipeline.media.playout import Frame

BYTES_PER_MS = VOICE_RATE_HZ // 1000 * 2
REWIND_MS = 60
"""What waits in the page's jitter buffer (40 ms) or on its way there."""


class PcmOutlet:
    """`media.outlet.Outlet` by way of a socket."""

    codec = PCM16
    tail_frames = 0
    rewind_ms = REWIND_MS

    def __init__(self, put: Callable[[bytes], object], behind: Callable[[], bool]) -> None:
        """`put` never waits; `behind`: the socket takes less than we send, so nothing more should go out just now.
        `on_ready` is to be called when it has caught up."""
        self.on_ready: Callable[[], None] = _nobody
        self._put, self._behind = put, behind
        self._seq = 0

    @property
    def ready(self) -> bool:
        return not self._behind()

    def overlap_ms(self, frame: Frame) -> float:
        return len(frame.before) / BYTES_PER_MS

    def send(self, frame: Frame, position: int, t_audio_ms: float) -> bytes:
        payload, overlap_ms = frame.before + frame.pcm, self.overlap_ms(frame)
        packet = AudioPacket("", frame.reply, self._seq, t_audio_ms, PACKET_MS, overlap_ms, self.codec, payload)
        self._seq += 1
        self._put(pack_voice(packet))
        return payload

    def close(self) -> None:
        """The socket is its line's."""


def _nobody() -> None:
    """Until a speaker sends here."""
