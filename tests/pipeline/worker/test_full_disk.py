"""The journal on a disk that takes nothing: no call ends, no record is lost as long as the process lives."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from pipeline.worker import metrics
from pipeline.worker.drainer import Drainer
from pipeline.worker.spool import Spool, SpoolFile
from tests.pipeline.worker.test_spool import Store, a_record, until

REAL_WRITE = os.write


def full_disk(taken: int) -> object:
    """os.write that takes `taken` bytes and then says that the disk is full."""

    def write(fd: int, data: bytes) -> int:
        if taken == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return REAL_WRITE(fd, data[:taken])

    return write


@pytest.mark.parametrize("taken", [0, 10])
def test_a_full_disk_ends_no_call_and_loses_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    monkeypatch.setattr("pipeline.worker.spool.os.write", full_disk(taken))
    spool.record(a_record(2))
    spool.record(a_record(3))
    monkeypatch.setattr("pipeline.worker.spool.os.write", REAL_WRITE)
    spool.flush()
    assert spool.file.read(100)[0] == [a_record(1), a_record(2), a_record(3)]
    spool.file.close(remove=True)


def test_what_waits_in_memory_is_bounded_and_what_is_given_up_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.worker.spool.HELD_RECORDS", 3)
    monkeypatch.setattr("pipeline.worker.spool.os.write", full_disk(0))
    before, spool = metrics.JOURNAL_LOST._value.get(), Spool(tmp_path, "w1")
    for i in range(5):
        spool.record(a_record(i))
    monkeypatch.setattr("pipeline.worker.spool.os.write", REAL_WRITE)
    spool.flush()
    assert spool.file.read(100)[0] == [a_record(2), a_record(3), a_record(4)]
    assert metrics.JOURNAL_LOST._value.get() == before + 2
    spool.file.close(remove=True)


async def test_a_disk_that_takes_no_offset_stops_neither_worker_nor_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.worker.drainer.RETRY_MOST_S", 0.01)
    delivered, failures = SpoolFile.delivered, [OSError(errno.ENOSPC, "No space left on device")] * 3

    def fails_first(file: SpoolFile, offset: int) -> None:
        if failures:
            raise failures.pop()
        delivered(file, offset)

    monkeypatch.setattr(SpoolFile, "delivered", fails_first)
    spool, store = Spool(tmp_path, "w1"), Store()
    drainer = Drainer(spool, tmp_path, store)
    task = asyncio.create_task(drainer.run())
    spool.record(a_record(1))
    await until(lambda: not failures and spool.file.waiting == 0, "delivered")
    assert not task.done() and set(store.kept) == {a_record(1)}
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()
    assert list(tmp_path.iterdir()) == []


async def test_what_a_full_disk_did_not_take_reaches_the_store_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.worker.drainer.ADOPT_EVERY_S", 0.01)
    spool, store = Spool(tmp_path, "w1"), Store()
    drainer = Drainer(spool, tmp_path, store)
    monkeypatch.setattr("pipeline.worker.spool.os.write", full_disk(0))
    task = asyncio.create_task(drainer.run())
    spool.record(a_record(1))
    assert store.kept == []
    monkeypatch.setattr("pipeline.worker.spool.os.write", REAL_WRITE)
    await until(lambda: store.kept == [a_record(1)], "written and delivered")
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()
