import asyncio

import pytest

from pipeline.soak import caller
from pipeline.soak.caller import Caller
from pipeline.soak.errors import NotNow
from pipeline.soak.lines import load
from pipeline.soak.plan import exchanges
from pipeline.soak.tally import Tally


class FullHouse:
    """An office that asks for patience, for ever."""

    async def admit(self):
        raise NotNow("all seats are taken", 0.0)


def a_caller(tally):
    return Caller(0, FullHouse(), load(), exchanges(1, 0, ["address"], ["stop"]), 0.3, tally)


async def call_until(tally, enough):
    calling = asyncio.create_task(a_caller(tally).run())
    while not enough():
        await asyncio.sleep(0)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


async def test_a_caller_that_is_kept_out_for_long_has_met_a_failure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caller, "PATIENCE_S", 0.01)
    tally = Tally()
    await call_until(tally, lambda: tally.failures)
    assert "all seats are taken" in next(iter(tally.failures))


async def test_to_be_told_to_wait_is_no_failure_yet():
    tally = Tally()
    await call_until(tally, lambda: tally.waits == 20)
    assert tally.failures.total() == 0
