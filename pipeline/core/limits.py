"""When a session ends by itself: the visitor is gone, says nothing, or has talked as long as the contract allows."""

from pipeline.contracts.numbers import SESSION_LIMIT_S, VANISHED_S
from pipeline.core.clock import SessionClock
from pipeline.core.ports import Line


class Limits:
    """Of one leg. `touch` whenever the visitor does something."""

    def __init__(self, clock: SessionClock, line: Line | None) -> None:
        self._clock = clock
        self._line = line
        self._last_active = clock.clock.now()

    def touch(self) -> None:
        self._last_active = self._clock.clock.now()

    def reached(self, *, listening: bool, idle_limit_s: float) -> str | None:
        """Why the session ends now: vanished, limit or idle (which only silence while we listen can be)."""
        now = self._clock.clock.now()
        if self._line is not None and now - self._line.last_heard > VANISHED_S:
            return "vanished"
        if self._clock.age_s() > SESSION_LIMIT_S:
            return "limit"
        if listening and now - self._last_active > idle_limit_s:
            return "idle"
        return None
