import gc

import pytest

from pipeline.core.clock import MonotonicClock
from pipeline.media.ticker import STEP_S, Ticker, _tickers, ticker_of
from tests.fakes.clock import FakeClock, settle


class Member:
    """Served each so many seconds, so many times."""

    def __init__(self, every_s: float, times: int = 1000) -> None:
        self.every_s, self.left, self.served, self.due = every_s, times, [], None

    def beat(self, now: float) -> float | None:
        self.served.append(now)
        self.left -= 1
        self.due = (self.due or now) + self.every_s
        return self.due if self.left else None


async def test_everybody_is_served_when_due_to_the_next_step_and_without_drift():
    clock, member = FakeClock(), Member(0.0213)
    ticker = ticker_of(clock)
    member.due = clock.now() + 0.0213
    ticker.join(member.beat, member.due)
    await clock.advance(2.14)
    assert len(member.served) == 100
    late = [at - (1000.0 + 0.0213 * (n + 1)) for n, at in enumerate(member.served)]
    assert all(abs(ms) <= STEP_S / 2 + 1e-6 for ms in late)
    ticker.leave(member.beat)


async def test_those_who_are_due_together_are_served_in_one_waking():
    clock, members = FakeClock(), [Member(0.02) for _ in range(5)]
    ticker, sleeps = ticker_of(clock), []
    sleep = clock.sleep

    async def counted(seconds: float) -> None:
        sleeps.append(seconds)
        await sleep(seconds)

    clock.sleep = counted
    for place, member in enumerate(members):
        ticker.join(member.beat, clock.now() + 0.02 + place * 0.0004)
    await clock.advance(0.99)
    assert all(len(member.served) == 49 for member in members)
    assert len(sleeps) <= 51
    for member in members:
        ticker.leave(member.beat)


async def test_whoever_needs_no_more_is_left_alone_and_the_last_one_ends_it():
    clock, member = FakeClock(), Member(0.02, times=3)
    ticker = ticker_of(clock)
    ticker.join(member.beat, clock.now() + 0.02)
    await clock.advance(1)
    assert len(member.served) == 3 and member.beat not in ticker
    assert ticker._task.done()
    member.left = 1
    ticker.join(member.beat, clock.now() + 0.02)
    await clock.advance(1)
    assert len(member.served) == 4, "and somebody new begins it again"


async def test_leaving_in_the_middle_of_a_beat_is_final():
    clock = FakeClock()
    ticker = ticker_of(clock)

    def beat(now: float) -> float:
        ticker.leave(beat)
        return now + 0.02

    ticker.join(beat, clock.now() + 0.02)
    await clock.advance(1)
    assert beat not in ticker


async def test_a_beat_that_fails_is_left_out_and_the_others_go_on(caplog):
    clock, member = FakeClock(), Member(0.02)
    ticker = ticker_of(clock)

    def broken(now: float) -> float:
        raise ZeroDivisionError

    ticker.join(broken, clock.now() + 0.02)
    ticker.join(member.beat, clock.now() + 0.02)
    await clock.advance(1)
    assert len(member.served) >= 48 and broken not in ticker
    assert caplog.text.count("a line's beat failed") == 1
    ticker.leave(member.beat)


async def test_a_beat_that_is_always_late_does_not_spin():
    clock = FakeClock()
    ticker, served = ticker_of(clock), []
    beat = lambda now: served.append(now) or now - 1.0  # noqa: E731
    ticker.join(beat, clock.now())
    await clock.advance(0.1)
    assert len(served) <= 0.1 / (STEP_S / 2) + 1
    ticker.leave(beat)


async def test_a_clock_has_one_ticker_as_long_as_somebody_holds_it():
    clock = FakeClock()
    held = ticker_of(clock)
    assert ticker_of(clock) is held and isinstance(held, Ticker)
    assert ticker_of(FakeClock()) is not held
    before = len(_tickers)
    del held
    gc.collect()
    assert len(_tickers) < before


async def test_all_sessions_of_a_worker_have_one_ticker_though_each_has_a_clock_object_of_its_own():
    held = ticker_of(MonotonicClock())
    assert ticker_of(MonotonicClock()) is held


@pytest.mark.parametrize("turns", [1, 20])
async def test_leaving_before_it_has_run_leaves_nothing(turns):
    clock, member = FakeClock(), Member(0.02)
    ticker_of(clock).join(member.beat, clock.now() + 0.02)
    ticker_of(clock).leave(member.beat)
    await settle(turns)
    assert member.served == []
