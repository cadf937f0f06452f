"""Tasks that live and end together, such as those of one session."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """`failed` is told of each task that ends with an error: (the task's name, the error)."""

    def __init__(self, owner: str, failed: Callable[[str, BaseException], None]) -> None:
        self._owner = owner
        self._failed = failed
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(coroutine, name=f"{self._owner} {name}")
        self._running.add(task)
        task.add_done_callback(self._done)

    async def end(self) -> None:
        """Cancels them all and waits for them."""
        tasks = set(self._running)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task.get_name(), error)
