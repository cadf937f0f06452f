"""Figures over the latest time: bounded in number and in age, so that they neither grow nor get stuck."""

import math
from collections import deque
from collections.abc import Sequence


def p95(values: Sequence[float]) -> float:
    """Nearest rank. Of fewer than 20 values that is the largest one. Raises IndexError without any."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


class Rolling:
    """The latest `most` values that are not older than `age_s`."""

    def __init__(self, *, most: int, age_s: float) -> None:
        self._age_s = age_s
        self._values: deque[tuple[float, float]] = deque(maxlen=most)

    def add(self, value: float, now: float) -> None:
        """`now`: clock seconds, never going back."""
        self._values.append((now, value))

    def values(self, now: float) -> list[float]:
        while self._values and now - self._values[0][0] > self._age_s:
            self._values.popleft()
        return [value for _, value in self._values]

    def p95(self, now: float, least: int) -> float | None:
        """None while there are fewer than `least` values: 20 or more, and no single one can set it."""
        values = self.values(now)
        return p95(values) if len(values) >= max(1, least) else None
