"""The tasks of a session."""

import asyncio

import pytest

from pipeline.core.tasks import Tasks, to_its_end, within_deadline
from tests.fakes.clock import settle


async def forever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ValueError("no")


async def test_no_task_dies_unnoticed() -> None:
    failures: list[tuple[str, str]] = []
    tasks = Tasks("session s1", lambda name, error: failures.append((name, str(error))))
    tasks.spawn("face", fail())
    await settle()
    assert failures == [("session s1 face", "no")]


async def test_after_the_end_nothing_starts_any_more() -> None:
    tasks = Tasks("session s1", lambda name, error: None)
    tasks.spawn("listening", forever())
    await tasks.close()
    tasks.spawn("chat", forever())
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_somebody_who_does_not_close_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.core.tasks.CLOSE_DEADLINE_S", 0.01)
    await within_deadline("a line", forever())
    await within_deadline("a recogniser", fail())


async def test_an_ending_comes_to_its_end_however_often_it_is_cancelled() -> None:
    said: list[str] = []

    async def ending() -> None:
        for i in range(3):
            await settle()
            said.append(str(i))

    task = asyncio.create_task(to_its_end(ending()))
    await asyncio.sleep(0)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    assert said == ["0", "1", "2"]
