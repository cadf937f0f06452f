"""A time limit on the conversation's own clock, which tests move by hand; asyncio.timeout knows the loop's alone."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from pipeline.core.ports import Clock

Result = TypeVar("Result")


async def within(clock: Clock, seconds: float, awaitable: Awaitable[Result]) -> Result:
    """Raises TimeoutError when it takes longer, and cancels it."""
    work, time_up = asyncio.ensure_future(awaitable), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({work, time_up}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise TimeoutError
    finally:
        for task in (work, time_up):
            task.cancel()
        await asyncio.gather(work, time_up, return_exceptions=True)
