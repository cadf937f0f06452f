"""The worker's door: open while it may take more sessions, whatever its seats say."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Door:
    def __init__(self) -> None:
        self._open, self._shut = asyncio.Event(), asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def set(self, *, open_: bool) -> None:
        if open_ != self.is_open:
            (self._open, self._shut)[not open_].set()
            (self._shut, self._open)[not open_].clear()

    async def through(self, receive: Callable[[], Awaitable[T]]) -> T:
        """What `receive` brings, which waits only while the door is open. What comes as it shuts is let in."""
        while True:
            await self._open.wait()
            coming, shutting = asyncio.ensure_future(receive()), asyncio.ensure_future(self._shut.wait())
            try:
                await asyncio.wait({coming, shutting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (coming, shutting):
                    task.cancel()
                await asyncio.wait({coming, shutting})
            if not coming.cancelled():
                return coming.result()
