"""Python's garbage collector, which stops every call of the process while it works: kept short, and measured.

What is loaded at the start (engines, modules, the first versions) is frozen after the rehearsal, so that no collection
looks at it again. The young generation is larger than Python's default: most of what a turn makes dies by its reference
counts, and does not need looking at every 700 objects.
"""

import asyncio
import gc
import logging
import time
from collections import deque
from typing import Any, Final

from pipeline.worker import metrics

THRESHOLDS: Final = (5_000, 5, 200)
"""Measured on CPython 3.11, on a busy machine: 5,000 live young objects cost 0.15 ms, 30,000 live ones 5 ms. So the
young are looked at in small lots, the middle ones before they are many, and all that is not frozen seldom."""
TELL_EVERY_S: Final = 5.0
GENERATIONS: Final = 3
HELD: Final = 1000
"""Pauses between two looks, at most."""

log = logging.getLogger(__name__)


class Collector:
    """`run` until cancelled. The callback takes no lock: it may run in the middle of anything, in any thread."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self._pauses: deque[tuple[int, float]] = deque(maxlen=HELD)
        self._longest_s = [0.0] * GENERATIONS

    async def run(self) -> None:
        """Leaves the interpreter as it was (for tests, and for processes that outlive their worker)."""
        before = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(self._collected)
        try:
            while True:
                await asyncio.sleep(TELL_EVERY_S)
                self.tell()
        finally:
            gc.callbacks.remove(self._collected)
            gc.set_threshold(*before)
            gc.unfreeze()

    def freeze(self) -> None:
        """What is alive now stays: later collections need not look at it. Takes as long as a full collection."""
        began_s = time.perf_counter()
        gc.collect()
        gc.freeze()
        log.info("froze %d objects in %.0f ms", gc.get_freeze_count(), (time.perf_counter() - began_s) * 1000)

    def tell(self) -> None:
        """Puts what was measured where Prometheus sees it."""
        while self._pauses:
            generation, pause_s = self._pauses.popleft()
            metrics.GC_PAUSE.labels(str(generation)).observe(pause_s)
            self._longest_s[generation] = max(self._longest_s[generation], pause_s)
        for generation, longest_s in enumerate(self._longest_s):
            metrics.GC_PAUSE_MAX.labels(str(generation)).set(longest_s)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began_s = time.perf_counter()
        else:
            self._pauses.append((info["generation"], time.perf_counter() - self._began_s))
