"""The journal's near side: records go to a file of this worker's own before anything else happens to them.

Why it holds is written down in docs/architecture.md, "The journal".
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.contracts.dialogue import Record, record_from_wire
from pipeline.worker import metrics

SUFFIX = ".jsonl"
READ_BYTES = 1 << 20
TRIM_BYTES = 4 << 20
"""A delivered file longer than this starts again from nothing."""

log = logging.getLogger(__name__)


class SpoolFile:
    """One append-only file of records and, beside it, how far the database has it. Held by `flock` while open.

    Raises BlockingIOError when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset_path = path.with_suffix(".offset")
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise
        self.offset = self._read_offset()

    def _read_offset(self) -> int:
        try:
            return int(self._offset_path.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def append(self, record: Record) -> None:
        """One write(2) of one line: after it returns, killing this process does not take it back."""
        line = json.dumps(record.to_wire(), separators=(",", ":"), ensure_ascii=False) + "\n"
        os.write(self._fd, line.encode())

    def sync(self) -> None:
        os.fsync(self._fd)

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    @property
    def waiting(self) -> int:
        return self.size - self.offset

    def read(self, most: int) -> tuple[list[Record], int]:
        """Up to `most` records not yet delivered, and the offset behind them. Unreadable lines are skipped, counted."""
        data = os.pread(self._fd, min(self.waiting, READ_BYTES), self.offset)
        records: list[Record] = []
        end = self.offset
        for line in data.splitlines(keepends=True)[:most]:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            records.extend(_parse(line))
        return records, end

    def delivered(self, offset: int) -> None:
        """The database has everything up to here. Written beside, then renamed: never half an offset."""
        self.offset = offset
        beside = self._offset_path.with_suffix(".new")
        beside.write_text(str(offset))
        beside.replace(self._offset_path)

    def trim(self) -> None:
        """Start again when all is delivered. Offset first: a crash in between delivers twice, which does no harm."""
        if self.waiting == 0 and self.size > TRIM_BYTES:
            self.delivered(0)
            os.ftruncate(self._fd, 0)

    def close(self, *, remove: bool) -> None:
        """Removed only by who holds the lock, and only when delivered (or nothing but a torn line is left)."""
        if remove:
            self.path.unlink(missing_ok=True)
            self._offset_path.unlink(missing_ok=True)
        os.close(self._fd)

    @property
    def still_there(self) -> bool:
        """False: between our open and our lock another process delivered and removed it."""
        try:
            return self.path.stat().st_ino == os.fstat(self._fd).st_ino
        except FileNotFoundError:
            return False


def _parse(line: bytes) -> Iterator[Record]:
    try:
        yield record_from_wire(json.loads(line))
    except (ValueError, TypeError, KeyError):
        metrics.JOURNAL_TORN.inc()
        log.error("a journal line could not be read and was skipped (%d bytes)", len(line))


class Spool:
    """The Journal port. `on_record` wakes the drainer."""

    def __init__(self, directory: Path, worker: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file = SpoolFile(directory / f"{worker}{SUFFIX}")
        self.on_record: Callable[[], None] = lambda: None

    def record(self, record: Record) -> None:
        self.file.append(record)
        self.on_record()


def orphans(directory: Path) -> Iterator[SpoolFile]:
    """Spools that no living process holds, locked for us."""
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            spool = SpoolFile(path)
        except (BlockingIOError, FileNotFoundError):
            continue
        if spool.still_there:
            yield spool
        else:
            spool.close(remove=False)
