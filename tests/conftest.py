"""What every test stands on: quick passwords, and a check that a test leaves nothing behind."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from hypothesis import settings as hypothesis_settings

from tests.services import RUNNING

# How long an example takes says something about the machine, nothing about the code.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

GRACE_S = 3.0
RUNNER = "_function_scoped_runner"
"""pytest-asyncio's fixture that owns a test's loop."""


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves tasks, threads or child processes running.

    What ends by itself within GRACE_S is no leak: a thread that is just returning, a process that was told to end.
    """
    # Asked for here, so that the loop is still open when we look at it (fixtures end in reverse order).
    runner = request.getfixturevalue(RUNNER) if RUNNER in request.fixturenames else None
    threads, children = set(threading.enumerate()), set(_children())
    yield
    tasks = _pending_tasks(runner.get_loop()) if runner else []
    left_threads = [t for t in threading.enumerate() if t not in threads and not _lasting(t)]
    if left_threads:
        gc.collect()  # an executor that nobody holds any more ends its threads
    deadline = time.monotonic() + GRACE_S
    for thread in left_threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    _, left_children = psutil.wait_procs([c for c in _children() if c not in children], timeout=GRACE_S)
    leaks = [*map(repr, tasks), *(repr(t) for t in left_threads if t.is_alive()), *map(repr, left_children)]
    if leaks:
        pytest.fail("left behind: " + "; ".join(leaks))


def _children() -> list[psutil.Process]:
    """Child processes, without those of a stack that outlives the test (tests.stack ends them)."""
    children = psutil.Process().children(recursive=True)
    return [c for c in children if not any(pid in RUNNING for pid in (c.pid, *_ancestors(c)))]


def _ancestors(process: psutil.Process) -> list[int]:
    try:
        return [parent.pid for parent in process.parents()]
    except psutil.NoSuchProcess:
        return []


def _lasting(thread: threading.Thread) -> bool:
    """asgiref's threads: one for synchronous code lasts as long as the process, others as long as a logged traceback
    holds them. They have Python's default name; executors of our own are all named. A loop's executor ends with it.
    """
    return thread.name.startswith(("ThreadPoolExecutor-", "asyncio_"))


def _pending_tasks(loop: asyncio.AbstractEventLoop) -> list[Any]:
    """Tasks of the test's own loop that are still running after it has had a chance to finish them."""
    loop.run_until_complete(asyncio.sleep(0))
    return [task for task in asyncio.all_tasks(loop) if not task.done()]
