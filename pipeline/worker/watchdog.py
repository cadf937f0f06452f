"""Is the loop alive? Measured from inside (lag) and from outside (a thread that notices when it stands still)."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from pipeline.worker import metrics

TICK_S = 0.1
STUCK_S = 2.0
"""A loop that has not turned for this long is stuck: every call on it is silent."""

log = logging.getLogger(__name__)


class Watchdog:
    """`run` on the loop; `alive` from any thread (the health endpoint)."""

    def __init__(self, on_lag: Callable[[float], None] = lambda lag_s: None) -> None:
        """`on_lag`: told of every tick how late it was, in seconds."""
        self._on_lag = on_lag
        self._turned = time.monotonic()
        self._loop_thread = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._turned < STUCK_S

    async def run(self) -> None:
        self._loop_thread = threading.get_ident()
        self._thread.start()
        try:
            while True:
                before = time.monotonic()
                await asyncio.sleep(TICK_S)
                self._turned = time.monotonic()
                lag_s = max(0.0, self._turned - before - TICK_S)
                metrics.LOOP_LAG.observe(lag_s)
                self._on_lag(lag_s)
        finally:
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        said = False
        while not self._stop.wait(TICK_S * 5):
            if self.alive:
                said = False
            elif not said:
                said = True
                frame = sys._current_frames().get(self._loop_thread)
                where = "".join(traceback.format_stack(frame)[-6:]) if frame else "unknown"
                log.critical("the event loop has not turned for %.1f s; it is in:\n%s", STUCK_S, where)
