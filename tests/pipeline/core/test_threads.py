"""Blocking work: bounded, fair to owners, and nothing of it on asyncio's own executor."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from pipeline.contracts.errors import EngineError
from pipeline.core.threads import Threads
from tests.fakes.clock import settle


class Gate:
    """Work that lasts until the test says so, and is written down."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.done: list[str] = []

    def work(self, name: str) -> str:
        self.open.wait()
        self.done.append(name)
        return name


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    made = Threads("asr", "reading", workers=1, most=8)
    yield made
    await made.close()


async def test_what_work_returns_and_raises_reaches_the_caller(threads: Threads) -> None:
    assert await threads.run(lambda a, b: a + b, 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    assert threads.jobs == 0


async def test_owners_take_turns_whatever_number_of_jobs_each_has(threads: Threads) -> None:
    gate = Gate()
    jobs = [asyncio.create_task(threads.run(gate.work, f"crowd {n}", owner="crowd")) for n in range(5)]
    await settle()
    jobs.append(asyncio.create_task(threads.run(gate.work, "alone", owner="alone")))
    await settle()
    gate.open.set()
    await asyncio.gather(*jobs)
    assert gate.done.index("alone") <= 2
    assert [name for name in gate.done if name != "alone"] == [f"crowd {n}" for n in range(5)]


async def test_beyond_the_bound_work_is_refused_at_once(threads: Threads) -> None:
    gate = Gate()
    jobs = [asyncio.create_task(threads.run(gate.work, str(n))) for n in range(8)]
    await settle()
    with pytest.raises(EngineError, match="too much waits for reading"):
        await threads.run(gate.work, "one more")
    gate.open.set()
    await asyncio.gather(*jobs)
    assert await threads.run(gate.work, "now") == "now"


async def test_a_caller_that_goes_away_takes_back_what_has_not_begun(threads: Threads) -> None:
    gate = Gate()
    first = asyncio.create_task(threads.run(gate.work, "first"))
    await settle()
    second = asyncio.create_task(threads.run(gate.work, "second"))
    await settle()
    second.cancel()
    await asyncio.wait({second})
    first.cancel()
    await asyncio.wait({first})
    gate.open.set()
    assert await threads.run(gate.work, "third") == "third"
    assert gate.done == ["first", "third"]


async def test_it_uses_threads_of_its_own(threads: Threads) -> None:
    name = await threads.run(lambda: threading.current_thread().name)
    assert name.startswith("reading")


async def test_what_waits_when_it_is_closed_is_refused() -> None:
    threads, gate = Threads("asr", "reading"), Gate()
    jobs = [asyncio.create_task(threads.run(gate.work, str(n))) for n in range(3)]
    await settle()
    closing = asyncio.create_task(threads.close())
    await settle()
    gate.open.set()
    await closing
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert results[0] == "0"
    assert all(isinstance(result, EngineError) for result in results[1:])
