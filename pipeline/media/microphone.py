"""The way in: decoded sound becomes 20 ms pieces of 16 kHz mono, handed over in the moment they are there.

Whoever counts samples keeps the time: gaps are filled with silence, and while the visitor's browser sends nothing at
all (it may, in silence: DTX) the clock feeds silence.
"""

import asyncio
import logging
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.audio import Sound
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS, WIRE_RATE_HZ
from pipeline.core.ports import Clock
from pipeline.media.capture import CaptureClock
from pipeline.media.opus import Downmix
from pipeline.media.ticker import STEP_S, ticker_of

log = logging.getLogger(__name__)

PIECE_BYTES = EAR_RATE_HZ * PACKET_MS // 1000 * 2
BYTES_PER_MS = EAR_RATE_HZ // 1000 * 2
SILENCE = bytes(PIECE_BYTES)
PIECE_TICKS = WIRE_RATE_HZ * PACKET_MS // 1000
GAP_TICKS = WIRE_RATE_HZ
"""1 s: a longer gap is a new beginning and is not filled."""
LATE_TICKS = 3 * PIECE_TICKS
"""60 ms: what the clock's silence has taken from packets that came late is left out of the next silence, up to this.
After a longer stall time is as much behind, or the silence that ends an utterance would not be heard in time."""
BEAT_S = PACKET_MS / 1000
LAG_S = 0.01
"""The clock's silence stays so much behind, or a packet that is a little late would find its place taken."""
STALLED_S = 0.2
"""Nothing has come for so long, though the browser did not say that it would be quiet: a network that stalls."""


class Microphone:
    """`core.ports.Microphone`. `listen()` starts it; without a track it is silent until it is closed."""

    def __init__(self, clock: Clock, session_t0: float, on_heard: Callable[[], None]) -> None:
        """`on_heard` is called with every piece of sound that came."""
        self._clock = clock
        self._t0 = session_t0
        self._on_heard = on_heard
        self._ticker = ticker_of(clock)
        self._on_sound: Callable[[Sound], None] | None = None
        self._on_end: Callable[[], None] | None = None
        self._on_beat: Callable[[float], None] | None = None
        self._capture = CaptureClock()
        self._downmix: Downmix | None = None
        self._pending = bytearray()
        self._reader: asyncio.Task[None] | None = None
        self._ended = False
        self._fed: int | None = None
        self._heard_pts, self._heard_s = 0, 0.0
        self._quiet = False

    # The port ---------------------------------------------------------------------------------------------------

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        self._on_sound, self._on_end = on_sound, on_end
        if self._ended:
            self._tell_end()

    @property
    def attached(self) -> bool:
        """Whether there is anybody to decode for."""
        return self._on_sound is not None

    # Towards the transport --------------------------------------------------------------------------------------

    def listen(self, track: MediaStreamTrack, on_beat: Callable[[float], None] | None = None) -> None:
        """Until the track ends. With a tap no frame comes by way of the track; its end does. `on_beat` is called with
        the clock's time each 20 ms."""
        self._on_beat = on_beat
        self._reader = asyncio.create_task(self._run(track), name="microphone")
        self._ticker.join(self._beat, self._clock.now() + BEAT_S)

    async def close(self) -> None:
        self._end()
        if self._reader:
            self._reader.cancel()
            await asyncio.wait({self._reader})

    def quiet(self, quiet: bool) -> None:
        """The browser has said that it will send nothing while there is silence; or it has sent sound."""
        self._quiet = quiet

    def hear(self, pts: int, ticks: int, pcm: bytes) -> None:
        """16 kHz mono s16le at this position of the 48 kHz RTP clock, and how long it is there. Positions go up."""
        now = self._clock.now()
        self._on_heard()
        self._heard_pts, self._heard_s = pts + ticks, now
        t_audio_ms = self._capture.stamp(pts, ticks, (now - self._t0) * 1000)
        gap = pts - self._fed if self._fed is not None else 0
        if self._fed is None or not -LATE_TICKS <= gap <= GAP_TICKS:
            self._fed = pts
        elif gap > 0:
            for place in range(round(gap / PIECE_TICKS), 0, -1):
                self._emit(SILENCE, t_audio_ms - place * PACKET_MS)
            self._fed = pts
        self._fed += ticks
        self._emit(pcm, t_audio_ms)

    # Inside -----------------------------------------------------------------------------------------------------

    def _beat(self, now: float) -> float:
        if self._on_beat:
            self._on_beat(now)
        if self._fed is None or now - self._heard_s < (LAG_S if self._quiet else STALLED_S):
            return _together(now)
        self._feed_silence(self._heard_pts + int((now + STEP_S / 2 - self._heard_s - LAG_S) * WIRE_RATE_HZ))
        due_s = self._heard_s + LAG_S + (self._fed + PIECE_TICKS - self._heard_pts) / WIRE_RATE_HZ
        return min(due_s, _together(now))

    def _feed_silence(self, until: int) -> None:
        """Whole pieces, as far as the clock has come. What the visitor's packets have brought too much is left out."""
        while self._fed is not None and self._fed + PIECE_TICKS <= until:
            self._emit(SILENCE, self._capture.time(self._fed))
            self._fed += PIECE_TICKS

    def _emit(self, pcm: bytes, t_audio_ms: float) -> None:
        if self._on_sound is None or self._ended:
            return
        if not self._pending and len(pcm) == PIECE_BYTES:
            self._on_sound(Sound(pcm, t_audio_ms))
            return
        t_audio_ms -= len(self._pending) / BYTES_PER_MS
        self._pending += pcm
        while len(self._pending) >= PIECE_BYTES:
            piece = bytes(self._pending[:PIECE_BYTES])
            del self._pending[:PIECE_BYTES]
            self._on_sound(Sound(piece, t_audio_ms))
            t_audio_ms += PACKET_MS

    async def _run(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.AudioFrame):
                    self._take(frame)
        except MediaStreamError:
            log.debug("the visitor's track has ended")
        except Exception:
            log.exception("the microphone failed")
        finally:
            self._end()

    def _take(self, frame: av.AudioFrame) -> None:
        """From aiortc's own decoder."""
        first = self._downmix is None
        self._downmix = self._downmix or Downmix(EAR_RATE_HZ)
        pcm = self._downmix.feed(frame)
        if first:  # The resampler holds back a millisecond: made up for once, pieces come out whole ever after.
            pcm = pcm.rjust(-(-len(pcm) // PIECE_BYTES) * PIECE_BYTES, b"\0")
        self.hear(frame.pts or 0, round(frame.samples * WIRE_RATE_HZ / frame.sample_rate), pcm)

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._ticker.leave(self._beat)
            self._tell_end()

    def _tell_end(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end:
            on_end()


def _together(now: float) -> float:
    """The next whole BEAT_S: lines that wait for nothing special are looked at in one waking."""
    return ((now + STEP_S) // BEAT_S + 1) * BEAT_S
