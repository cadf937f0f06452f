"""One pulse for all lines of a process: whoever is due in the same 5 ms is served in the same turn of the loop.

A sleep per packet and session costs a timer, a future and a turn of the loop each; with one pulse, these are shared.
"""

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakValueDictionary

from pipeline.core.clock import MonotonicClock
from pipeline.core.ports import Clock

log = logging.getLogger(__name__)

STEP_S = 0.005
"""Nobody is served more than half of this too early."""
LONGEST_S = 0.02
"""At least this often the ticker looks who has joined meanwhile; nobody joins who is due any sooner."""

Beat = Callable[[float], float | None]
"""Called with the clock's time when it is due; returns when it is due next, None: not until it joins again."""


class Ticker:
    """Runs while somebody is waiting to be served. Never ended by a beat that fails: that one is left out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s: dict[Beat, float] = {}
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, beat: Beat) -> bool:
        return beat in self._due_s

    def join(self, beat: Beat, due_s: float) -> None:
        """`due_s`: clock seconds, at least LONGEST_S ahead if it is to be in time."""
        self._due_s[beat] = due_s
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="ticker")

    def leave(self, beat: Beat) -> None:
        self._due_s.pop(beat, None)
        if not self._due_s and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while self._due_s:
            now = self._clock.now()
            step = round(min(*self._due_s.values(), now + LONGEST_S) / STEP_S)
            await self._clock.sleep(max(step * STEP_S - now, STEP_S / 2))
            self._serve(self._clock.now())

    def _serve(self, now: float) -> None:
        for beat in [beat for beat, due_s in self._due_s.items() if due_s <= now + STEP_S / 2]:
            try:
                next_s = beat(now)
            except Exception:
                log.exception("a line's beat failed: it is not served any more")
                next_s = None
            if next_s is None:
                self._due_s.pop(beat, None)
            elif beat in self._due_s:  # or it has left meanwhile
                self._due_s[beat] = next_s


_tickers: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, object], Ticker] = WeakValueDictionary()


def ticker_of(clock: Clock) -> Ticker:
    """The one ticker on the running loop of all who go by this clock; all MonotonicClocks are one. It ends with the
    last who holds it."""
    key = (asyncio.get_running_loop(), MonotonicClock if isinstance(clock, MonotonicClock) else clock)
    ticker = _tickers.get(key)
    if ticker is None:
        ticker = _tickers[key] = Ticker(clock)
    return ticker
