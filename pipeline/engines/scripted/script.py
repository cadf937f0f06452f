"""What all scripted engines share: nothing to load, and delays that a test's clock may keep."""

from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds: asyncio's unless a test brings its clock's."""


class Scripted:
    """What every engine has; a script needs no loading."""

    name = "scripted"

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        return None


async def pause(sleep: Sleep, delay_ms: float) -> None:
    if delay_ms > 0:
        await sleep(delay_ms / 1000)
