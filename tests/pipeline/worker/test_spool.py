"""The journal's spool: what it promises when processes die and the database is away."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contracts.dialogue import LegRecord, Record
from pipeline.worker.drainer import Drainer
from pipeline.worker.spool import Spool, SpoolFile, orphans


def a_record(number: int) -> LegRecord:
    return LegRecord("began", f"s{number}", "t1", 1, 0.0, "w1")


class Store:
    """A database: `away` raises; repeats are kept, so that tests see them."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.away = 0

    def __call__(self, records: list[Record]) -> None:
        if self.away:
            self.away -= 1
            raise ConnectionError("the database is away")
        self.kept.extend(records)


async def until(condition: object, what: str) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_records_reach_the_store_in_order(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path, "w1"), Store()
    drainer = Drainer(spool, tmp_path, store)
    task = asyncio.create_task(drainer.run())
    for i in range(250):
        spool.record(a_record(i))
    await until(lambda: len(store.kept) == 250, "all")
    assert store.kept == [a_record(i) for i in range(250)]
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()
    assert list(tmp_path.iterdir()) == []


async def test_a_store_that_is_away_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.worker.drainer.RETRY_FIRST_S", 0.01)
    spool, store = Spool(tmp_path, "w1"), Store()
    store.away = 4
    drainer = Drainer(spool, tmp_path, store)
    task = asyncio.create_task(drainer.run())
    for i in range(5):
        spool.record(a_record(i))
        await asyncio.sleep(0.005)
    await until(lambda: len(store.kept) == 5, "all")
    assert store.kept == [a_record(i) for i in range(5)]
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()


async def test_what_a_store_never_took_stays_on_disk_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.worker.drainer.FLUSH_DEADLINE_S", 0.05)
    spool, store = Spool(tmp_path, "w1"), Store()
    store.away = 10**6
    drainer = Drainer(spool, tmp_path, store)
    spool.record(a_record(1))
    await drainer.finish()
    heir, later = Spool(tmp_path, "w2"), Store()
    drainer = Drainer(heir, tmp_path, later)
    task = asyncio.create_task(drainer.run())
    await until(lambda: not (tmp_path / "w1.jsonl").exists() and later.kept, "adopted")
    assert later.kept == [a_record(1)]
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys, pathlib
from pipeline.worker.spool import Spool
from pipeline.contracts.dialogue import LegRecord
spool = Spool(pathlib.Path(sys.argv[1]), "victim")
for i in range(20):
    spool.record(LegRecord("began", f"s{i}", "t1", 1, 0.0, "w1"))
print("written", flush=True)
sys.stdin.read()
"""


async def test_a_worker_killed_with_9_loses_no_record_and_a_living_one_keeps_its_spool(tmp_path: Path) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert victim.stdin and victim.stdout
    with victim.stdin, victim.stdout:
        assert victim.stdout.readline() == "written\n"
        assert list(orphans(tmp_path)) == []
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    heir, store = Spool(tmp_path, "heir"), Store()
    drainer = Drainer(heir, tmp_path, store)
    task = asyncio.create_task(drainer.run())
    await until(lambda: not (tmp_path / "victim.jsonl").exists() and len(store.kept) == 20, "adopted")
    assert store.kept == [a_record(i) for i in range(20)]
    task.cancel()
    await asyncio.wait({task})
    await drainer.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_last_line_is_skipped_and_does_not_hide_the_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    with spool.file.path.open("ab") as file:
        file.write(b'{"kind": "began", "sess')
    records, end = spool.file.read(100)
    assert records == [a_record(1)]
    assert end < spool.file.size
    spool.file.close(remove=False)


def test_an_unreadable_line_is_skipped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w1")
    with spool.file.path.open("ab") as file:
        file.write(b"rubbish\n{}\n[]\n" + b'{"kind": "told", "surprise": 1}\n')
    spool.record(a_record(2))
    records, end = spool.file.read(100)
    assert records == [a_record(2)] and end == spool.file.size
    spool.file.close(remove=False)


def test_delivered_records_are_not_delivered_again_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    spool.file.delivered(spool.file.read(100)[1])
    spool.record(a_record(2))
    spool.file.close(remove=False)
    again = SpoolFile(tmp_path / "w1.jsonl")
    assert again.read(100)[0] == [a_record(2)]
    again.close(remove=True)


def test_a_long_delivered_spool_starts_again_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.worker.spool.TRIM_BYTES", 100)
    spool = Spool(tmp_path, "w1")
    for i in range(10):
        spool.record(a_record(i))
    spool.file.trim()
    assert spool.file.size > 0, "not delivered yet"
    spool.file.delivered(spool.file.read(100)[1])
    spool.file.trim()
    assert spool.file.size == 0
    spool.record(a_record(11))
    assert spool.file.read(100)[0] == [a_record(11)]
    spool.file.close(remove=True)


def test_a_worker_of_the_same_name_writes_behind_a_torn_line_and_not_into_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    os.write(spool.file._fd, b'{"kind": "began", "sess')
    spool.file.close(remove=False)
    again = Spool(tmp_path, "w1")
    again.record(a_record(2))
    assert again.file.read(100)[0] == [a_record(1), a_record(2)]
    again.file.close(remove=True)


def test_an_offset_that_outlived_its_file_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "w1.offset").write_text("4711")
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    assert spool.file.read(100)[0] == [a_record(1)]
    spool.file.close(remove=True)


def test_two_workers_of_one_name_keep_journals_of_their_own(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, "w1"), Spool(tmp_path, "w1")
    first.record(a_record(1))
    second.record(a_record(2))
    assert first.file.path != second.file.path
    assert (first.file.read(100)[0], second.file.read(100)[0]) == ([a_record(1)], [a_record(2)])
    for spool in (first, second):
        spool.file.close(remove=True)


def test_a_worker_never_writes_to_a_file_that_was_removed_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its open and its lock another worker may have delivered and removed what an earlier one left."""
    lock = fcntl.flock

    def slow_lock(fd: int, operation: int) -> None:
        monkeypatch.setattr("pipeline.worker.spool.fcntl.flock", lock)
        (tmp_path / "w1.jsonl").unlink()
        lock(fd, operation)

    monkeypatch.setattr("pipeline.worker.spool.fcntl.flock", slow_lock)
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    assert spool.file.still_there
    spool.file.close(remove=True)


def test_a_line_longer_than_one_reading_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.worker.spool.READ_BYTES", 16)
    spool = Spool(tmp_path, "w1")
    spool.record(a_record(1))
    assert spool.file.read(100)[0] == [a_record(1)]
    spool.file.close(remove=True)
