"""The way in: Opus from the visitor becomes 20 ms pieces of 16 kHz mono.

A reader runs as long as the track does: what nobody reads would grow without bound inside aiortc (1.2 MB/s).
"""

import asyncio
import logging
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from pipeline.contracts.audio import Sound
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS
from pipeline.core.ports import Clock
from pipeline.core.stream import Stream, WhenFull
from pipeline.media.capture import CaptureClock
from pipeline.media.opus import Downmix

log = logging.getLogger(__name__)

QUEUE_FRAMES = 50
"""1 s. A listener further behind than that is overloaded; the oldest sound is dropped."""
PIECE_BYTES = EAR_RATE_HZ * PACKET_MS // 1000 * 2
BYTES_PER_MS = EAR_RATE_HZ // 1000 * 2
FILLED_MS = 100
"""Gaps up to this long are filled with silence, so that whoever counts samples keeps the time."""


class Microphone:
    """`core.ports.Microphone`. `listen()` starts it; without a track it is silent until it is closed."""

    def __init__(self, clock: Clock, session_t0: float, on_heard: Callable[[int], None]) -> None:
        """`on_heard` is called with the RTP timestamp of every frame that came."""
        self._clock = clock
        self._t0 = session_t0
        self._on_heard = on_heard
        self._sounds: Stream[Sound] = Stream(QUEUE_FRAMES, WhenFull.DROP_OLDEST)
        self._capture = CaptureClock()
        self._downmix = Downmix(EAR_RATE_HZ)
        self._pending = bytearray()
        self._reader: asyncio.Task[None] | None = None

    @property
    def frames_dropped(self) -> int:
        return self._sounds.dropped

    async def read(self) -> Sound:
        return await self._sounds.get()

    def listen(self, track: MediaStreamTrack) -> None:
        self._reader = asyncio.create_task(self._run(track), name="microphone")

    async def close(self) -> None:
        """Ends the reader. Sound that is queued can still be read, then StreamEnded."""
        self._sounds.close()
        if self._reader:
            self._reader.cancel()
            await asyncio.wait({self._reader})

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
            self._sounds.close()

    def _take(self, frame: av.AudioFrame) -> None:
        pts = frame.pts or 0
        self._on_heard(pts)
        pcm = self._downmix.feed(frame)
        now_ms = (self._clock.now() - self._t0) * 1000
        t_audio_ms, missing_ms = self._capture.stamp(pts, frame.samples, now_ms)
        if not self._pending:
            # The resampler holds back its first millisecond: made up for once, pieces come out whole ever after.
            pcm = pcm.rjust(-(-len(pcm) // PIECE_BYTES) * PIECE_BYTES, b"\0")
        if 0 < missing_ms <= FILLED_MS:
            pcm = bytes(round(missing_ms) * BYTES_PER_MS) + pcm
            t_audio_ms -= missing_ms
        self._emit(pcm, t_audio_ms)

    def _emit(self, pcm: bytes, t_audio_ms: float) -> None:
        t_audio_ms -= len(self._pending) / BYTES_PER_MS
        self._pending += pcm
        while len(self._pending) >= PIECE_BYTES:
            self._sounds.offer(Sound(bytes(self._pending[:PIECE_BYTES]), t_audio_ms))
            del self._pending[:PIECE_BYTES]
            t_audio_ms += PACKET_MS
