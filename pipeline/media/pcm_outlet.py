"""The outlet of a line over a websocket: frames go out as packets of PCM, each with the 5 ms before it (V4).

The page fades what ends and cross-fades what follows, so no silent frames are sent after sound.
"""

from collections.abc import Callable

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.numbers import OVERLAP_MS, PACKET_MS
from pipeline.contracts.packets import PCM16, pack_voice
from pipeline.media.edges import FRAME_SAMPLES, VOICE_RATE_HZ

OVERLAP_BYTES = VOICE_RATE_HZ * OVERLAP_MS // 1000 * 2
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
        self.overlap_ms = 0.0
        self._put, self._behind = put, behind
        self._seq = 0
        self._follows = (-1, 0)
        """Position and reply of the frame that `_before` may be repeated with."""
        self._before = b""

    @property
    def ready(self) -> bool:
        return not self._behind()

    def send(self, pcm: bytes, position: int, reply: int, t_audio_ms: float) -> bytes:
        before = self._before if (position, reply) == self._follows else b""
        self._before, self._follows = pcm[-OVERLAP_BYTES:], (position + FRAME_SAMPLES, reply)
        self.overlap_ms = float(OVERLAP_MS if before else 0)
        payload = before + pcm
        packet = AudioPacket("", reply, self._seq, t_audio_ms, PACKET_MS, self.overlap_ms, self.codec, payload)
        self._seq += 1
        self._put(pack_voice(packet))
        return payload

    def close(self) -> None:
        """The socket is its line's."""


def _nobody() -> None:
    """Until a speaker sends here."""
