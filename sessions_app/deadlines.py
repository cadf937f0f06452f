"""Deadlines for what waits on Redis.

redis-py 8.1 loses a cancellation that meets a connection just being made (a burst of requests makes many): whoever
cancels once, as `asyncio.timeout` and `asyncio.wait_for` do, then waits for ever. Here work is cancelled until it ends.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

CANCEL_AGAIN_S: Final = 0.05

Found = TypeVar("Found")


async def within(limit_s: float | None, work: Coroutine[Any, Any, Found]) -> Found:
    """Its result. Raises TimeoutError when that takes longer; None: as long as it takes."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
        if not done:
            raise TimeoutError
        return task.result()
    finally:
        if not task.done():
            _cancel(task)
            await asyncio.wait({task})


def _cancel(task: "asyncio.Future[Any]") -> None:
    """Until it is over, even when nobody waits for that any more."""
    if task.done():
        if not task.cancelled():
            task.exception()  # nobody is left to hear of it
        return
    task.cancel()
    task.get_loop().call_later(CANCEL_AGAIN_S, _cancel, task)
