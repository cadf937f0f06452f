"""The journal's far side: takes records from spool files to the store (the database), in order, as long as it takes.

The store blocks and runs in a thread of its own; sound never waits for it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pipeline.contracts.dialogue import Record
from pipeline.worker import metrics
from pipeline.worker.spool import Spool, SpoolFile, orphans

T = TypeVar("T")
Store = Callable[[list[Record]], None]
"""Keeps the records for good; the same ones twice have the effect of once. Raises when it cannot now."""

BATCH = 100
ADOPT_EVERY_S = 1.0
RETRY_FIRST_S, RETRY_MOST_S = 0.25, 5.0
FLUSH_DEADLINE_S = 10.0

log = logging.getLogger(__name__)


class Drainer:
    """`run` until cancelled, then `finish` to hand over the rest."""

    def __init__(self, spool: Spool, directory: Path, store: Store) -> None:
        self._spool = spool
        self._directory = directory
        self._store = store
        self._wake = asyncio.Event()
        spool.on_record = self._wake.set
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._drain_own())
            group.create_task(self._adopt())
            group.create_task(self._write_held())

    async def _drain_own(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._in_thread(self._spool.file.sync)
                await self._deliver(self._spool.file)
                self._spool.file.trim()
            except OSError as error:  # the disk, not the database: what is in the file stays there
                await self._trouble("the journal could not be moved on", error)
                self._wake.set()

    async def _write_held(self) -> None:
        """What a full disk did not take is tried again."""
        while True:
            await asyncio.sleep(ADOPT_EVERY_S)
            self._spool.flush()

    async def _trouble(self, what: str, error: OSError) -> None:
        metrics.ERRORS.labels("journal").inc()
        log.error("%s: %s", what, error)
        await asyncio.sleep(RETRY_MOST_S)

    async def _adopt(self) -> None:
        """Spools of workers that died: nobody holds their lock any more."""
        while True:
            try:
                await self._take_over()
            except OSError as error:
                await self._trouble("journals of dead workers could not be taken over", error)
            await asyncio.sleep(ADOPT_EVERY_S)

    async def _take_over(self) -> None:
        """One after the other; more than one in hand would keep the rest from other workers."""
        while (file := await self._in_thread(lambda: next(orphans(self._directory), None))) is not None:
            log.warning("taking over the journal of %s (%d bytes)", file.path.stem, file.waiting)
            metrics.JOURNAL_ADOPTED.inc()
            try:
                await self._deliver(file)
            except BaseException:
                file.close(remove=False)
                raise
            if file.waiting:  # a line without an end: its writer was killed inside write
                metrics.JOURNAL_TORN.inc()
            file.close(remove=True)

    async def _deliver(self, file: SpoolFile) -> None:
        """All that the file holds, retrying until the store has it."""
        delay_s = RETRY_FIRST_S
        while True:
            records, end = await self._in_thread(lambda: file.read(BATCH))
            metrics.JOURNAL_WAITING.set(file.waiting)
            if end == file.offset:
                return
            try:
                await self._in_thread(lambda records=records: self._store(records))  # type: ignore[misc]
            except Exception as error:  # the store is somebody else's: whatever it raises, the records are safe here
                metrics.JOURNAL_RETRIES.inc()
                log.warning("the store did not take %d records (%s); again in %.2f s", len(records), error, delay_s)
                await asyncio.sleep(delay_s)
                delay_s = min(RETRY_MOST_S, delay_s * 2)
            else:
                delay_s = RETRY_FIRST_S
                await self._in_thread(lambda end=end: file.delivered(end))  # type: ignore[misc]

    async def finish(self) -> None:
        """The worker is ending: one last delivery, bounded; what is left stays on disk for who comes next."""
        try:
            async with asyncio.timeout(FLUSH_DEADLINE_S):
                await self._in_thread(lambda: None)  # what a cancelled delivery left running ends first
                self._spool.flush()
                await self._deliver(self._spool.file)
        except (TimeoutError, OSError):
            log.warning("%d bytes of the journal stay on disk", self._spool.file.waiting)
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._spool.file.close(remove=self._spool.file.waiting == 0)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
