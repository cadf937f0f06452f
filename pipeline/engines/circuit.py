"""A circuit breaker: after several failures in a row nobody waits for a server that is down; one tries again later.

Pattern: M. Nygard, Release It!, chapter 5 (closed, open, half-open).
"""

import time
from collections.abc import Callable


class Circuit:
    """Belongs to one event loop. `now`: monotonic seconds."""

    def __init__(self, *, failures: int = 3, rest_s: float = 5.0, now: Callable[[], float] = time.monotonic) -> None:
        self._allowed = failures
        self._rest_s = rest_s
        self._now = now
        self._failed = 0
        self._closed_until = 0.0

    def admits(self) -> bool:
        """Whether to try. After the rest one caller is let through, and others only once it has succeeded."""
        if self._failed < self._allowed:
            return True
        if self._now() < self._closed_until:
            return False
        self._closed_until = self._now() + self._rest_s
        return True

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        if self._failed >= self._allowed:
            self._closed_until = self._now() + self._rest_s
