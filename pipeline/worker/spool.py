"""The journal's near side: records go to a file of this worker's own before anything else happens to them.

Why it holds is written down in docs/architecture.md, "The journal".
"""

import errno
import fcntl
import itertools
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.contracts.dialogue import Record, record_from_wire
from pipeline.worker import metrics

SUFFIX = ".jsonl"
READ_BYTES = 1 << 20
TRIM_BYTES = 4 << 20
"""A delivered file longer than this starts again from nothing."""
HELD_RECORDS = 10_000
"""Some megabytes: hours of a full worker's conversations."""

log = logging.getLogger(__name__)


class SpoolFile:
    """One append-only file of records and, beside it, how far the database has it. Held by `flock` while open.

    Raises BlockingIOError when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset_path = path.with_suffix(".offset")
        self._torn = False
        """The last line has no end: whoever wrote it was killed, or the disk was full."""
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise
        self.offset = self._read_offset()
        self._torn = self.size > 0 and os.pread(self._fd, 1, self.size - 1) != b"\n"

    def _read_offset(self) -> int:
        """0 when it is of another file than this one: records twice do no harm, records left out do."""
        try:
            offset = int(self._offset_path.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return offset if 0 <= offset <= self.size else 0

    def append(self, line: bytes) -> None:
        """One write(2) of one line: after it returns, killing this process does not take it back.

        Raises OSError when the disk does not take all of it; what it took of it is then skipped by readers.
        """
        data = b"\n" + line if self._torn else line
        written = os.write(self._fd, data)
        if written:
            self._torn = written < len(data)
        if written < len(data):
            raise OSError(errno.ENOSPC, "the disk took only a part of a record")

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
        size = READ_BYTES
        while b"\n" not in (data := os.pread(self._fd, size, self.offset)) and size < self.waiting:
            size *= 2
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
        if remove:  # the offset first: it must not outlive its file and be taken for that of the next
            self._offset_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
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


def _line(record: Record) -> bytes:
    """ASCII: half a surrogate pair is no reason to lose a turn."""
    return json.dumps(record.to_wire(), separators=(",", ":")).encode() + b"\n"


class Spool:
    """The Journal port. `on_record` wakes the drainer. Raises OSError when the folder takes no file.

    A disk that is full ends no call: records wait in memory, HELD_RECORDS at most, until `flush` gets them out.
    """

    def __init__(self, directory: Path, worker: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file = _own_file(directory, worker)
        self.on_record: Callable[[], None] = lambda: None
        self._held: deque[bytes] = deque()

    def record(self, record: Record) -> None:
        if len(self._held) >= HELD_RECORDS:
            self._held.popleft()
            metrics.JOURNAL_LOST.inc()
        self._held.append(_line(record))
        self.flush()

    def flush(self) -> None:
        """Write what is held, oldest first; keep what the disk does not take."""
        if not self._held:
            return
        try:
            while self._held:
                self.file.append(self._held[0])
                self._held.popleft()
        except OSError as error:
            metrics.ERRORS.labels("journal").inc()
            log.error("%d journal records wait in memory: %s", len(self._held), error)
        metrics.JOURNAL_HELD.set(len(self._held))
        self.on_record()


def _own_file(directory: Path, worker: str) -> SpoolFile:
    """This worker's file. A name that is in use (two workers called alike, or one of the others is just taking over
    what an earlier worker of this name left) gets a number."""
    for number in itertools.count(1):
        name = worker if number == 1 else f"{worker}-{number}"
        try:
            file = SpoolFile(directory / f"{name}{SUFFIX}")
        except BlockingIOError:
            continue
        if file.still_there:
            return file
        file.close(remove=False)
    raise AssertionError("numbers do not end")


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
