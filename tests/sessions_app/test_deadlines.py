"""Work that is cut off at its deadline, also when it does not hear the first time."""

import asyncio

import pytest

from sessions_app.deadlines import within


class Deaf:
    """Work that loses so many cancellations, as redis-py does while it makes a connection."""

    def __init__(self, loses: int) -> None:
        self.loses = loses
        self.over = False

    async def work(self) -> str:
        try:
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if self.loses == 0:
                        raise
                    self.loses -= 1
        finally:
            self.over = True


async def quick() -> str:
    await asyncio.sleep(0)
    return "done"


async def broken() -> str:
    raise ValueError("words")


async def test_what_is_quick_enough_is_not_disturbed() -> None:
    assert await within(5, quick()) == "done"
    assert await within(None, quick()) == "done"
    with pytest.raises(ValueError, match="words"):
        await within(5, broken())


@pytest.mark.parametrize("loses", [0, 1, 3])
async def test_what_takes_too_long_ends_however_often_it_must_be_told(loses: int) -> None:
    deaf = Deaf(loses)
    with pytest.raises(TimeoutError):
        await within(0, deaf.work())
    assert deaf.over


@pytest.mark.parametrize("loses", [0, 1, 3])
async def test_whoever_waited_and_is_cancelled_leaves_no_work_behind(loses: int) -> None:
    deaf = Deaf(loses)
    waiting = asyncio.create_task(within(60, deaf.work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert deaf.over


async def test_a_deadline_inside_another_leaves_no_work_behind() -> None:
    deaf = Deaf(2)
    with pytest.raises(TimeoutError):
        await within(0, within(60, deaf.work()))
    while not deaf.over:
        await asyncio.sleep(0.01)
