"""A log file whose lines do not live longer than seven days, whatever happens in the process that wrote them."""

import logging
import logging.handlers
import threading
import time
from pathlib import Path

KEPT_S = 6 * 86_400
"""Since a file was last written; it holds one day at most. So no line is older than seven days."""
LOOK_EVERY_S = 3600.0


class ExpiringFileHandler(logging.handlers.TimedRotatingFileHandler):
    """A file a day (UTC). A thread, begun with the first line, ends the day and removes what is old also when nothing
    more is logged; a process that has not begun one yet removes it at its start."""

    def __init__(self, filename: str | Path) -> None:
        super().__init__(filename, when="midnight", utc=True, encoding="utf-8", delay=True)
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        forget_old(Path(self.baseFilename))

    def emit(self, record: logging.LogRecord) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._look, name="log expiry", daemon=True)
            self._watch.start()
        super().emit(record)

    def expire(self) -> None:
        self.acquire()
        try:
            if self.shouldRollover(logging.makeLogRecord({})):
                self.doRollover()
        finally:
            self.release()
        forget_old(Path(self.baseFilename))

    def close(self) -> None:
        self._closing.set()
        super().close()

    def _look(self) -> None:
        while not self._closing.wait(LOOK_EVERY_S):
            self.expire()


def forget_old(file: Path, kept_s: float = KEPT_S) -> None:
    """Removes `file` and its earlier days where they were last written more than `kept_s` ago."""
    for path in file.parent.glob(f"{file.name}*"):
        try:
            if time.time() - path.stat().st_mtime >= kept_s:
                path.unlink()
        except OSError:  # another process was quicker, or the folder is not ours: nothing may stop the start
            logging.getLogger(__name__).warning("an old log file could not be removed: %s", path)
