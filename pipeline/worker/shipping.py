"""From this machine's disk to where recordings are kept: finished ones, and those whose worker was killed.

Every worker of a machine looks at the same folder; who locks a recording has it.
"""

import asyncio
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pipeline.contracts.errors import MediaError, WireError
from pipeline.contracts.recording import Recording
from pipeline.media.ogg import length_ms
from pipeline.worker import metrics
from pipeline.worker.recorder import ABOUT, SOUND, DiskRecorder, remove

Keep = Callable[[Recording, Path, int], None]
"""Keeps a recording (its file, its length in ms) for good; the same one twice has the effect of once. Raises when it
cannot now. It may also find that nobody wants it any more: then it just returns."""

LOOK_EVERY_S = 2.0
RETRY_FIRST_S, RETRY_MOST_S = 2.0, 60.0
FINISH_DEADLINE_S = 10.0

log = logging.getLogger(__name__)


class Shipping:
    """`run` until cancelled, then `finish` for what the last calls left. `keep` blocks and is called in a thread."""

    def __init__(self, directory: Path, keep: Keep) -> None:
        """Raises OSError when there can be no such folder."""
        self.recorder = DiskRecorder(directory)
        self.recorder.on_finished = self.wake
        self._directory, self._keep = directory, keep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shipping")
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """Something may be ready. From any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        delay_s = RETRY_FIRST_S
        while True:
            if await self._loop.run_in_executor(self._thread, self._ship):
                delay_s = RETRY_FIRST_S
                await self._woken(LOOK_EVERY_S)
            else:
                await asyncio.sleep(delay_s)
                delay_s = min(RETRY_MOST_S, delay_s * 2)

    async def finish(self) -> None:
        """Bounded; what is left stays on the disk for whoever comes next."""
        try:
            async with asyncio.timeout(FINISH_DEADLINE_S):
                await self._loop.run_in_executor(self._thread, self.recorder.close)
                await self._loop.run_in_executor(self._thread, self._ship)
        except TimeoutError:
            log.warning("recordings stay on the disk: %s did not take them in time", self._keep)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _woken(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _ship(self) -> bool:
        """Everything that is ready. False: something could not be kept now, or the disk failed."""
        try:
            waiting = sorted(self._directory.glob(f"*{ABOUT}"))
            metrics.RECORDINGS_WAITING.set(len(waiting))
            return all([self._ship_one(about) for about in waiting])
        except OSError as error:
            metrics.ERRORS.labels("recording").inc()
            log.error("recordings cannot be read: %s", error)
            return False

    def _ship_one(self, about: Path) -> bool:
        with _locked(about) as description:
            if description is None:
                return True
            sound = about.with_suffix(SOUND)
            try:
                recording, length = Recording.from_wire(json.loads(description)), length_ms(sound)
            except (ValueError, WireError, MediaError) as error:
                log.warning("a recording is given up, there is nothing in it: %s", error)
                remove(about)
                return True
            try:
                self._keep(recording, sound, length)
            except Exception as error:  # the store is somebody else's: whatever it raises, the file is safe here
                metrics.ERRORS.labels("recording").inc()
                log.warning("recording %s could not be kept now: %s", recording.name, error)
                return False
            remove(about)
            return True


@contextmanager
def _locked(about: Path) -> Iterator[bytes | None]:
    """What it says, locked for us; None when it is still being written, or has gone."""
    try:
        file = os.open(about, os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        yield os.read(file, 1 << 16) if _lock(file) and about.exists() else None
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
