"""Tasks that swallow a cancellation end all the same."""

import asyncio

import pytest

from pipeline.worker import ending


async def test_a_task_that_swallows_its_first_cancellation_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ASK_AGAIN_S", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 3:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await ending.end({task})
    assert task.cancelled() and swallowed == 3


async def test_ending_nothing_is_done_at_once() -> None:
    await ending.end(())
