"""When a session ends by itself, and how much may be typed."""

from pipeline.contracts.numbers import CHATS_PER_MINUTE
from pipeline.core.clock import SessionClock
from pipeline.core.limits import Limits
from tests.fakes.clock import FakeClock


async def test_the_limits_are_the_contracts() -> None:
    clock = FakeClock()
    limits = Limits(SessionClock(clock, 0.0, 0.0))
    assert limits.reached(clock.now(), 300) is None
    await clock.advance(301)
    assert limits.reached(clock.now(), 300) == "idle"
    limits.touch()
    assert limits.reached(clock.now(), 300) is None
    assert limits.reached(clock.now() - 16, 300) == "vanished"
    await clock.advance(3300)
    limits.touch()
    assert limits.reached(None, 300) == "limit"


async def test_a_session_that_moved_is_as_old_as_it_is() -> None:
    limits = Limits(SessionClock(FakeClock(), created_at=0.0, wall_now=3601.0))
    assert limits.reached(None, 300) == "limit"


async def test_typing_is_limited_by_the_minute() -> None:
    clock = FakeClock()
    limits = Limits(SessionClock(clock, 0.0, 0.0))
    assert [limits.may_type() for _ in range(CHATS_PER_MINUTE + 2)] == [True] * CHATS_PER_MINUTE + [False] * 2
    await clock.advance(60)
    assert limits.may_type()
