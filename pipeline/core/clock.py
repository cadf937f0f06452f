"""Time as the machine sees it: monotonic, and per session counted from the session's creation."""

import asyncio
import time

from pipeline.core.ports import Clock


class MonotonicClock:
    """The real thing. Tests use `tests.fakes.clock.FakeClock`."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class SessionClock:
    """The session's audio clock: ms since the session was created, the same on every worker it moves to (to NTP)."""

    def __init__(self, clock: Clock, created_at: float, wall_now: float) -> None:
        self.clock = clock
        self.t0 = clock.now() - max(0.0, wall_now - created_at)
        """Clock seconds at which this session's clock reads zero."""

    def now_ms(self) -> float:
        return (self.clock.now() - self.t0) * 1000.0

    def age_s(self) -> float:
        return self.clock.now() - self.t0
