"""A worker under load: whom it takes, and what it says of itself."""

import asyncio
from typing import Any

import pytest

from pipeline.contracts.wire import WORKERS_GROUP, Report, RollCall, offers_channel
from tests.pipeline.worker.conftest import Worker


@pytest.fixture
def unwatched(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Its door is where the test puts it."""
    monkeypatch.setattr(worker.host.load, "look", lambda vram_share=None: None)
    return worker


async def report_of(worker: Worker) -> Report:
    reply_to = await worker.layer.new_channel()
    await worker.layer.group_send(WORKERS_GROUP, RollCall(reply_to).to_wire())
    async with asyncio.timeout(5):
        return Report.from_wire(await worker.layer.receive(reply_to))


async def test_a_strained_worker_leaves_offers_to_others_although_it_has_seats(unwatched: Worker) -> None:
    unwatched.host.load.door.set(open_=False)
    await asyncio.sleep(0.05)
    offering = asyncio.create_task(unwatched.offer("s1", ""))
    await asyncio.sleep(0.1)
    assert unwatched.layer.channels[offers_channel()].qsize() == 1
    assert not offering.done()
    unwatched.host.load.door.set(open_=True)
    assert (await offering)["type"] == "answer"


async def test_it_reports_how_it_stands_when_the_roll_is_called(unwatched: Worker) -> None:
    await unwatched.offer("s1", "")
    while len(unwatched.host.sessions) < 1:
        await asyncio.sleep(0.01)
    report = await report_of(unwatched)
    assert (report.worker, report.pool) == (unwatched.host.settings.name, "default")
    assert (report.sessions, report.seats) == (1, unwatched.host.settings.seats)
    assert (report.level, report.why, report.admits, report.rejects) == (0, "", True, False)
    unwatched.host.load.door.set(open_=False)
    assert not (await report_of(unwatched)).admits


async def test_it_measures_its_own_loop(worker: Worker) -> None:
    lags: Any = worker.host.load._loop_lag_ms._values
    async with asyncio.timeout(5):
        while not lags:
            await asyncio.sleep(0.05)
    assert all(lag_ms >= 0.0 for _, lag_ms in lags)
