"""Blocking work beside the loop: few threads of one's own, a bounded number of jobs that wait, fair to owners.

asyncio's default executor is nobody's: whatever waits there (a name to be looked up, a file to be read) would wait
behind somebody's index.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from pipeline.contracts.errors import EngineError

T = TypeVar("T")
Job = tuple["asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """Belongs to one event loop. Owners (tenants) take turns, whatever number of jobs each has waiting."""

    def __init__(self, engine: str, name: str, *, workers: int = 1, most: int = 64) -> None:
        """`engine`: the port's name in EngineErrors; `most`: jobs that wait or run at a time, beyond which all are
        refused: they would come too late."""
        self._engine, self._name, self._most = engine, name, most
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._idle = workers
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self.jobs = 0
        """That wait or run."""

    async def run(self, work: Callable[..., T], *args: Any, owner: str = "") -> T:
        """What `work(*args)` returns or raises. A caller that is cancelled takes back what has not begun. Raises
        EngineError when too many wait already."""
        if self.jobs >= self._most:
            raise EngineError(self._engine, f"too much waits for {self._name}")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((done, lambda: work(*args)))
        self.jobs += 1
        try:
            self._dispatch()
            return await done
        finally:
            self.jobs -= 1

    async def close(self) -> None:
        """Waits for what runs; what waits is refused."""
        for jobs in self._waiting.values():
            for done, _ in jobs:
                _settle(done, EngineError(self._engine, f"{self._name} is closed"))
        self._waiting.clear()
        await asyncio.to_thread(self._pool.shutdown)

    def _dispatch(self) -> None:
        while self._idle and self._waiting:
            owner, jobs = self._waiting.popitem(last=False)
            done, work = jobs.popleft()
            if jobs:
                self._waiting[owner] = jobs
            if not done.done():
                self._idle -= 1
                running = asyncio.get_running_loop().run_in_executor(self._pool, work)
                running.add_done_callback(partial(self._ended, done))

    def _ended(self, done: "asyncio.Future[Any]", running: "asyncio.Future[Any]") -> None:
        """Not when the caller goes: a thread cannot be stopped, and is idle only when it is."""
        self._idle += 1
        if (error := running.exception()) is not None:
            _settle(done, error)
        elif not done.done():
            done.set_result(running.result())
        self._dispatch()


def _settle(done: "asyncio.Future[Any]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
