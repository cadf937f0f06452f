"""Recordings on this machine's disk: written by one thread of the worker while calls last, then waiting to be shipped.

A recording is two files: the sound, and what it is of. The second is locked (`flock`) by whoever writes the first; the
lock dies with the process. What is not locked is finished, or its writer was killed: either way it can be shipped.
"""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.contracts.recording import Recording
from pipeline.media.ogg import OggFile
from pipeline.worker import metrics

SOUND, ABOUT = ".ogg", ".json"
SPARE_BYTES = 1 << 30
"""Less free disk than this: nothing is recorded. The journal lies on the same disk, and it may never be lost."""
BEHIND_MOST = 120
"""So many slices of all calls may wait for the disk (a minute of one call); more are not taken."""

log = logging.getLogger(__name__)


class DiskRecorder:
    """`core.surroundings.Recorder`. `on_finished` is called, in the thread, when a file is complete."""

    def __init__(self, directory: Path) -> None:
        """Raises OSError when there can be no such folder."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self.on_finished: Callable[[], None] = lambda: None

    def open(self, recording: Recording) -> "DiskTape | None":
        try:
            room = shutil.disk_usage(self._directory).free > SPARE_BYTES
        except OSError:
            room = False
        if not room:
            metrics.RECORDINGS_ENDED.labels("no_room").inc()
            log.error("session %s is not recorded: the disk is nearly full", recording.session_id)
            return None
        return DiskTape(recording, self._directory, self._thread, lambda: self.on_finished())

    def close(self) -> None:
        """Waits until everything handed over is on the disk. Blocks: for a thread."""
        self._thread.shutdown(wait=True)


class DiskTape:
    """`core.surroundings.Tape`. Its methods only hand over to the thread; the underlined ones run there."""

    def __init__(
        self, recording: Recording, directory: Path, thread: ThreadPoolExecutor, on_finished: Callable[[], None]
    ) -> None:
        self.broken = False
        self._thread, self._on_finished = thread, on_finished
        self._about = directory / f"{recording.name}{ABOUT}"
        self._sound = directory / f"{recording.name}{SOUND}"
        self._waiting = 0
        self._file: OggFile | None = None
        self._lock = -1
        metrics.RECORDINGS.inc()
        thread.submit(self._guarded, lambda: self._open(recording))

    def write(self, visitor: bytes, agent: bytes, agent_hz: int) -> None:
        if self.broken:
            return
        if self._waiting >= BEHIND_MOST:
            self._break(OSError("the disk is too slow"))
            return
        self._waiting += 1
        self._thread.submit(self._guarded, lambda: self._write(visitor, agent, agent_hz))

    def close(self, *, keep: bool) -> None:
        metrics.RECORDINGS.dec()
        metrics.RECORDINGS_ENDED.labels("discarded" if not keep else "cut_short" if self.broken else "finished").inc()
        self._thread.submit(self._finish, keep)

    # In the thread ----------------------------------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], None]) -> None:
        if self.broken:
            return
        try:
            work()
        except Exception as error:  # whatever the disk or the library does: the call goes on
            self._break(error)

    def _open(self, recording: Recording) -> None:
        beside = self._about.with_suffix(".new")
        self._lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._lock, json.dumps(recording.to_wire()).encode())
        beside.replace(self._about)
        self._file = OggFile(self._sound)

    def _write(self, visitor: bytes, agent: bytes, agent_hz: int) -> None:
        self._waiting -= 1
        if self._file is not None:
            self._file.write(visitor, agent, agent_hz)

    def _finish(self, keep: bool) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except Exception as error:
            self._break(error)
        try:
            if not keep:
                remove(self._about)
        except OSError as error:
            log.error("a recording that is not wanted could not be deleted: %s", error)
        finally:
            if self._lock >= 0:
                os.close(self._lock)
        self._on_finished()

    def _break(self, error: Exception) -> None:
        self.broken = True
        metrics.ERRORS.labels("recording").inc()
        log.error("the recording %s ends here: %s", self._about.stem, error)


def remove(about: Path) -> None:
    """Both files, the sound first: without the other nobody would find it. Raises OSError."""
    about.with_suffix(SOUND).unlink(missing_ok=True)
    about.unlink(missing_ok=True)
