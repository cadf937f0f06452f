"""A way out for those who bring none: 20 ms at a time by absolute deadlines, the first at once."""

import asyncio
from collections.abc import Callable

from benchmarks.inproc.engines import VOICE_RATE_HZ

FRAME_S = 0.02
FRAME_BYTES = int(VOICE_RATE_HZ * FRAME_S) * 2


class Pacer:
    """`on_frame` gets each 20 ms of 24 kHz mono s16le when it is due; `on_dry` runs when nothing is left."""

    def __init__(self, on_frame: Callable[[bytes], None], on_dry: Callable[[], None] = lambda: None) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_frame, self._on_dry = on_frame, on_dry
        self._queued = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self.sent_s = 0.0
        """Seconds of sound that went out since `restart`."""

    @property
    def queued_s(self) -> float:
        return len(self._queued) / 2 / VOICE_RATE_HZ

    @property
    def running(self) -> bool:
        return self._timer is not None

    def restart(self) -> None:
        self.sent_s = 0.0

    def push(self, pcm: bytes) -> None:
        self._queued += pcm
        if self._timer is None and len(self._queued) >= FRAME_BYTES:
            self._due_s = self._loop.time()
            self._send()

    def pad(self) -> None:
        """The sound ends here: what does not fill a frame is filled up."""
        if self._queued:
            self.push(bytes(-len(self._queued) % FRAME_BYTES))

    def clear(self) -> None:
        self._queued.clear()

    def take(self) -> bytes:
        """What has not gone out, taken away."""
        held = bytes(self._queued)
        self._queued.clear()
        return held

    def _send(self) -> None:
        if len(self._queued) < FRAME_BYTES:
            self._timer = None
            self._on_dry()
            return
        frame = bytes(self._queued[:FRAME_BYTES])
        del self._queued[:FRAME_BYTES]
        self._due_s += FRAME_S
        self._timer = self._loop.call_at(self._due_s, self._send)
        self.sent_s += FRAME_S
        self._on_frame(frame)
