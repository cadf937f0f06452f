"""How much of what was queued has not gone out yet."""

import asyncio


class Unsent:
    """Counts frames between the queue's entrance and the transport."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def queued(self) -> None:
        self._count += 1
        self._none.clear()

    def sent(self) -> None:
        self._count = max(0, self._count - 1)
        if not self._count:
            self._none.set()

    def forget(self) -> None:
        """What was queued will never be sent."""
        self._count = 0
        self._none.set()

    async def none(self) -> None:
        """Wait until all has gone."""
        await self._none.wait()
