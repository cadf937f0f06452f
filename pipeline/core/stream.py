"""The only queue of the machine: bounded, one consumer, and it carries its end inside."""

import asyncio
import enum
from collections import deque
from typing import Generic, TypeVar

from pipeline.contracts.errors import StreamEnded

T = TypeVar("T")


class WhenFull(enum.Enum):
    WAIT = "wait"
    """The producer waits (`put`); `offer` refuses."""
    DROP_OLDEST = "drop oldest"


class Stream(Generic[T]):
    """A bounded queue. Closing it lets the consumer take what is left and then raises StreamEnded."""

    def __init__(self, bound: int, when_full: WhenFull = WhenFull.WAIT) -> None:
        self._items: deque[T] = deque()
        self._bound = bound
        self._when_full = when_full
        self._ended = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.dropped = 0
        """How many items DROP_OLDEST has thrown away."""

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, item: T) -> bool:
        """Add without waiting. False: full (WAIT) or ended; the item was not taken."""
        if self._ended:
            return False
        if len(self._items) >= self._bound:
            if self._when_full is WhenFull.WAIT:
                return False
            self._items.popleft()
            self.dropped += 1
        self._items.append(item)
        self._changed.set()
        if len(self._items) >= self._bound:
            self._room.clear()
        return True

    async def put(self, item: T) -> None:
        """Add; with WAIT, wait for room. Raises StreamEnded when the stream is closed."""
        while not self.offer(item):
            if self._ended:
                raise StreamEnded("the stream is closed")
            await self._room.wait()

    async def get(self) -> T:
        """The next item. Raises StreamEnded when closed and empty."""
        while not self._items:
            if self._ended:
                raise StreamEnded("the stream is closed")
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        self._room.set()
        return item

    def clear(self) -> int:
        """Throw away what is queued; returns how much it was."""
        count = len(self._items)
        self._items.clear()
        self._room.set()
        return count

    def close(self) -> None:
        self._ended = True
        self._changed.set()
        self._room.set()
