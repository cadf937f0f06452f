"""The tasks of one session: started by name, never lost from sight, ended together."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from pipeline.contracts.numbers import CLOSE_DEADLINE_S

log = logging.getLogger(__name__)


async def within_deadline(what: str, ending: Coroutine[Any, Any, Any]) -> None:
    """Somebody else's `close()`: whether it raises or hangs, whoever ends goes on ending after CLOSE_DEADLINE_S."""
    try:
        async with asyncio.timeout(CLOSE_DEADLINE_S):
            await ending
    except Exception:
        log.exception("%s did not close", what)


async def to_its_end(ending: Coroutine[Any, Any, None]) -> None:
    """Runs what cancelling the caller, even repeatedly, must not stop half way. For endings that are bounded."""
    task = asyncio.create_task(ending)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    task.result()


class Tasks:
    """`on_failure` hears of every task that ended with an exception. After `close()` nothing starts any more."""

    def __init__(self, owner: str, on_failure: Callable[[str, BaseException], None]) -> None:
        self._owner = owner
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        if self._closed:
            coroutine.close()
            return
        task = asyncio.create_task(coroutine, name=f"{self._owner} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(task.get_name(), error)

    async def finished(self, name: str, limit_s: float) -> None:
        """Wait for the tasks whose name begins so, but not longer."""
        prefix = f"{self._owner} {name}"
        if waited_for := [task for task in self._tasks if task.get_name().startswith(prefix)]:
            await asyncio.wait(waited_for, timeout=limit_s)

    async def close(self) -> None:
        """Cancel all and wait; one that does not go within CLOSE_DEADLINE_S is left alone, and said."""
        self._closed = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=CLOSE_DEADLINE_S)
        for task in left:
            log.error("%s does not end", task.get_name())
