"""A bound on the time spent waiting, over many waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class Patience:
    """So many seconds of waiting in all; what is done between the waits costs nothing."""

    def __init__(self, limit_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._left_s = limit_s
        self._now = now

    async def wait(self, awaited: Awaitable[Result]) -> Result:
        """Raises TimeoutError once the seconds are used up, and cancels what is awaited."""
        begun = self._now()
        try:
            async with asyncio.timeout(self._left_s):
                return await awaited
        finally:
            self._left_s -= self._now() - begun
