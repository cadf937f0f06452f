"""Real time for all callers: each gets its 20 ms by absolute deadlines, every one at a phase of its own."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

FRAME_S = 0.02


class Ticked(Protocol):
    def tick(self, due_s: float) -> None: ...


class Ticker:
    """One timer for all. `late_s`: the longest that a frame came after its time, which is the loop's own lag."""

    def __init__(self, callers: Sequence[Ticked]) -> None:
        self._loop = asyncio.get_running_loop()
        self._callers = callers
        self._began_s = self._loop.time() + FRAME_S
        self._next = 0
        self._timer: asyncio.TimerHandle | None = self._loop.call_at(self._began_s, self._fire)
        self.late_s = 0.0

    def _due_s(self) -> float:
        round_, caller = divmod(self._next, len(self._callers))
        return self._began_s + (round_ + caller / len(self._callers)) * FRAME_S

    def _fire(self) -> None:
        now_s, due_s = self._loop.time(), self._due_s()
        self.late_s = max(self.late_s, now_s - due_s)
        while due_s <= now_s:
            self._callers[self._next % len(self._callers)].tick(due_s)
            self._next += 1
            due_s = self._due_s()
        self._timer = self._loop.call_at(due_s, self._fire)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
