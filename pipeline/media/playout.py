"""What is waiting to be said, and what has just been said. Frames of 20 ms, counted; no clock and no transport."""

import asyncio
from collections import deque
from dataclasses import dataclass

from pipeline.media.edges import FRAME_BYTES, OVERLAP_BYTES

QUEUE_FRAMES = 15
"""300 ms: what a producer may be ahead of the transport. More would only be thrown away at a barge-in."""
WAKE_FRAMES = 10
"""A producer that had to wait is woken when the queue has run down to this: once in 100 ms, not for every frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of sound. `samples`: how many of them are sound, the rest is padding. `before`: the last 5 ms of the frame
    before it in its reply, wherever that is by now; empty for the first."""

    pcm: bytes
    samples: int
    reply: int
    before: bytes = b""


class Playout:
    """A bounded queue of frames for one producer, from which the newest that were taken can be put back."""

    def __init__(self, rewind_frames: int) -> None:
        self._frames: deque[Frame] = deque()
        self._newest: Frame | None = None
        self._taken: deque[tuple[Frame, float]] = deque(maxlen=rewind_frames)
        self._waiting: asyncio.Future[None] | None = None
        self._draining: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def full(self) -> bool:
        return len(self._frames) >= QUEUE_FRAMES

    def add(self, pcm: bytes, reply: int) -> None:
        """A frame, padded to its length if need be; whoever cares for the bound looks at `full` first."""
        newest = self._newest
        before = newest.pcm[-OVERLAP_BYTES:] if newest is not None and newest.reply == reply else b""
        self._newest = Frame(pcm.ljust(FRAME_BYTES, b"\0"), len(pcm) // 2, reply, before)
        self._frames.append(self._newest)

    def take(self, now: float) -> Frame:
        """The next frame, which goes to the transport now (clock seconds)."""
        frame = self._frames.popleft()
        self._taken.append((frame, now))
        if self._waiting is not None and len(self._frames) <= WAKE_FRAMES:
            self._waiting = _woken(self._waiting)
        if self._draining is not None and not self._frames:
            self._draining = _woken(self._draining)
        return frame

    def put_back(self, since: float) -> list[Frame]:
        """What was taken later than `since` stands at the head of the queue again. Returns it."""
        frames = [frame for frame, at in self._taken if at > since]
        self._taken.clear()
        self._frames.extendleft(reversed(frames))
        return frames

    def clear(self) -> None:
        """Nothing is left, not even to put back; nobody waits any more."""
        self._frames.clear()
        self._taken.clear()
        self._newest = None
        self._waiting, self._draining = _woken(self._waiting), _woken(self._draining)

    async def room(self) -> None:
        """Wait until the queue has run down."""
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    async def empty(self) -> None:
        """Wait until all has been taken."""
        while self._frames:  # again, when what was taken has been put back meanwhile
            self._draining = self._draining or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._draining)


def _woken(waiting: asyncio.Future[None] | None) -> asyncio.Future[None] | None:
    """Whoever waited goes on; nobody waits now."""
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
    return None
