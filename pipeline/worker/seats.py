"""Seats: how many sessions a worker holds at once. A worker without a free one does not ask for offers."""

import asyncio


class Seats:
    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self._freed = asyncio.Event()

    async def take(self) -> None:
        """Wait for a free seat and sit down."""
        while self.taken >= self.total:
            self._freed.clear()
            await self._freed.wait()
        self.taken += 1

    def free(self) -> None:
        self.taken -= 1
        self._freed.set()
