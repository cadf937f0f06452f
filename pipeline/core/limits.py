"""How long a session may last, how long its visitor may be silent, and how much may be typed. Pure arithmetic."""

from collections import deque

from pipeline.contracts.numbers import CHATS_PER_MINUTE, SESSION_LIMIT_S, VANISHED_S
from pipeline.core.clock import SessionClock


class Limits:
    """Of one leg. `touch()` whenever somebody does something."""

    def __init__(self, clock: SessionClock) -> None:
        self._clock = clock
        self._active_s = clock.clock.now()
        self._typed_s: deque[float] = deque(maxlen=CHATS_PER_MINUTE)

    def touch(self) -> None:
        self._active_s = self._clock.clock.now()

    def reached(self, last_heard_s: float | None, idle_limit_s: float) -> str | None:
        """Which limit ends the session now, if any. `last_heard_s`: clock seconds; None: there is no line."""
        now = self._clock.clock.now()
        if last_heard_s is not None and now - last_heard_s > VANISHED_S:
            return "vanished"
        if self._clock.age_s() > SESSION_LIMIT_S:
            return "limit"
        return "idle" if now - self._active_s > idle_limit_s else None

    def may_type(self) -> bool:
        """Counts a message typed on the control channel, which does not pass the office's own limit."""
        now = self._clock.clock.now()
        if len(self._typed_s) == CHATS_PER_MINUTE and now - self._typed_s[0] < 60.0:
            return False
        self._typed_s.append(now)
        return True
