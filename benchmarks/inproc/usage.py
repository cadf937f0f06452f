"""What a process spends: CPU of all its threads, resident memory, and how long its garbage collector stops it."""

import gc
import time
from pathlib import Path
from typing import Any

_PAGE_MB = 4096 / 1e6


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB


class Collections:
    """Counts full collections and times the longest stop of any, from `begin` on."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self.full = 0
        self._began_s = 0.0
        gc.callbacks.append(self._note)

    def begin(self) -> None:
        self.longest_ms, self.full = 0.0, 0

    def _note(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began_s = time.perf_counter()
            return
        self.longest_ms = max(self.longest_ms, (time.perf_counter() - self._began_s) * 1000)
        self.full += info["generation"] == 2

    def close(self) -> None:
        gc.callbacks.remove(self._note)
