"""What a worker measures, the level it makes of it, and its door."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.contracts.dialogue import Origin, TurnRecord
from pipeline.core.degradation import Level
from pipeline.worker import gpus
from pipeline.worker.door import Door
from pipeline.worker.gpus import Gpus
from pipeline.worker.load import ERROR_LEAST, TTFA_AGE_S, TTFA_LEAST, Packets, WorkerLoad
from pipeline.worker.settings import WorkerSettings
from tests.fakes.clock import FakeClock, settle

GIB = 1 << 30


def a_turn(ttfa_ms: float, **changes: Any) -> TurnRecord:
    turn = TurnRecord("told", "s1", "t1", 1, 1, Origin.VOICE, "Hi", 0.0, 0.0, "v", timings={"ttfa_ms": ttfa_ms})
    return replace(turn, **changes)


class Bench:
    """A worker's load, without the worker."""

    def __init__(self, seats: int = 100, taken: int = 10) -> None:
        self.clock = FakeClock()
        self.taken = taken
        self.lines: dict[str, dict[str, float]] = {}
        self.load = WorkerLoad(seats, lambda: self.taken, lambda: self.lines, self.clock, None)

    async def seconds(self, n: int, lag_s: float = 0.0, vram: float | None = None) -> Level:
        for _ in range(n):
            for _ in range(10):
                await self.clock.advance(0.1)
                self.load.loop_lag(lag_s)
            self.load.look(vram)
        return self.load.level

    def turns(self, n: int, ttfa_ms: float, **changes: Any) -> None:
        for _ in range(n):
            self.load.turn(a_turn(ttfa_ms, **changes))


async def test_slow_turns_raise_the_level_and_their_age_lowers_it() -> None:
    bench = Bench()
    bench.turns(TTFA_LEAST, 230.0)
    assert await bench.seconds(10) is Level.TOOL_REFUSE
    assert (bench.load.max_tokens, bench.load.terse, bench.load.essential_tools_only) == (256, True, True)
    assert bench.load.face_stride == 2
    assert await bench.seconds(int(TTFA_AGE_S) + 40) is Level.NORMAL
    assert (bench.load.max_tokens, bench.load.terse, bench.load.essential_tools_only) == (512, False, False)


async def test_one_slow_turn_is_no_reason_nor_are_few() -> None:
    bench = Bench()
    bench.turns(TTFA_LEAST - 1, 900.0)
    assert await bench.seconds(10) is Level.NORMAL


@pytest.mark.parametrize("changes", [{"warmup": True}, {"origin": Origin.GREETING}])
async def test_warm_up_and_greetings_do_not_count(changes: dict[str, Any]) -> None:
    bench = Bench()
    bench.turns(50, 900.0, **changes)
    assert await bench.seconds(10) is Level.NORMAL


async def test_failures_close_the_doors_but_not_a_single_one() -> None:
    bench = Bench()
    bench.turns(ERROR_LEAST, 50.0)
    bench.load.failed("llm")
    assert await bench.seconds(10) is Level.NORMAL
    bench.load.failed("face")
    assert await bench.seconds(10) is Level.NORMAL
    bench.load.failed("llm")
    assert await bench.seconds(10) is Level.SESSION_REJECT
    assert not bench.load.door.is_open
    report = bench.load.report(WorkerSettings(spool_dir=Path(), name="w1"), ready=True)
    assert (report.level, report.why, report.admits, report.rejects) == (5, "errors", False, True)


async def test_a_late_loop_shuts_the_door_although_there_are_seats_and_opens_it_again() -> None:
    bench = Bench()
    await bench.seconds(10, lag_s=0.05)
    assert not bench.load.door.is_open
    await bench.seconds(60)
    assert bench.load.door.is_open and bench.load.level is Level.NORMAL


async def test_an_empty_worker_always_takes_somebody() -> None:
    bench = Bench(taken=0)
    await bench.seconds(10, lag_s=0.2)
    assert bench.load.level is Level.SESSION_REJECT
    assert bench.load.door.is_open


async def test_seats_alone_raise_the_level_and_leave_the_door_to_the_seats() -> None:
    bench = Bench(seats=8, taken=7)
    assert await bench.seconds(10) is Level.SESSION_QUEUE
    assert bench.load.door.is_open
    report = bench.load.report(WorkerSettings(spool_dir=Path(), name="w1"), ready=True)
    assert (report.level, report.why, report.rejects) == (4, "seats taken", False)


async def test_frames_of_the_face_that_come_late_make_it_yield() -> None:
    bench = Bench()
    for _ in range(3):
        for _ in range(30):
            bench.load.face_lag(0.15)
        await bench.seconds(1)
    assert bench.load.level is Level.ANIMATION_YIELD


async def test_it_looks_by_itself_every_second() -> None:
    bench = Bench()
    bench.turns(TTFA_LEAST, 300.0)
    task = asyncio.create_task(bench.load.run())
    await bench.clock.advance(8.0)
    task.cancel()
    await asyncio.wait({task})
    assert bench.load.level is Level.SESSION_REJECT


def test_nothing_it_keeps_grows() -> None:
    bench = Bench()
    for _ in range(5000):
        bench.load.turn(a_turn(50.0))
        bench.load.failed("asr")
        bench.load.face_lag(0.001)
        bench.load.loop_lag(0.001)
    kept = [w for w in vars(bench.load).values() if hasattr(w, "_values")]
    assert len(kept) == 5
    assert all(len(window._values) == window._values.maxlen <= 2000 for window in kept)


# Packets ----------------------------------------------------------------------------------------------------------


def test_packets_that_were_due_and_did_not_go_out_are_missing() -> None:
    lines: dict[str, dict[str, float]] = {"a": {"packets_out": 0, "packets_due": 0}, "old": {"packets_out": 7}}
    packets = Packets(lambda: lines)
    assert packets.share() == 1.0
    lines["a"] = {"packets_out": 45, "packets_due": 50}
    lines["new"] = {"packets_out": 0, "packets_due": 500}
    assert packets.share() == pytest.approx(0.9)
    lines.clear()
    for _ in range(5):
        packets.share()
    assert packets.share() == 1.0


# Door -------------------------------------------------------------------------------------------------------------


async def test_nobody_comes_in_while_the_door_is_shut() -> None:
    door, offers = Door(), asyncio.Queue[str]()
    coming = asyncio.create_task(door.through(offers.get))
    await settle()
    door.set(open_=False)
    await settle()
    offers.put_nowait("first")
    await settle()
    assert not coming.done() and offers.qsize() == 1
    door.set(open_=True)
    assert await coming == "first"


async def test_who_comes_just_as_it_shuts_is_let_in() -> None:
    door, offers = Door(), asyncio.Queue[str]()
    coming = asyncio.create_task(door.through(offers.get))
    await settle()
    offers.put_nowait("first")
    door.set(open_=False)
    assert await coming == "first"


async def test_a_host_that_goes_leaves_no_task_at_the_door() -> None:
    door = Door()
    coming = asyncio.create_task(door.through(asyncio.Event().wait))
    await settle()
    coming.cancel()
    await asyncio.wait({coming})
    assert coming.cancelled()


# Graphics memory --------------------------------------------------------------------------------------------------


class FakeNvml:
    """The driver's answers: (used, total) in GiB of each GPU."""

    NVMLError = RuntimeError

    def __init__(self, *memory: tuple[float, float]) -> None:
        self.memory = list(memory)
        self.gone = False

    def nvmlInit(self) -> None: ...  # noqa: N802 - the library's name

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.memory)

    def nvmlDeviceGetHandleByIndex(self, i: int) -> int:  # noqa: N802
        return i

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if self.gone:
            raise self.NVMLError("the driver is gone")
        used, total = self.memory[handle]
        return SimpleNamespace(used=used * GIB, total=total * GIB)


async def test_memory_is_a_share_of_what_is_left_beside_the_reserve_and_the_fullest_gpu_counts() -> None:
    card = Gpus(FakeNvml((10.0, 24.0), (19.0, 24.0)))
    assert await card.share() == pytest.approx(0.95)
    card.close()


async def test_a_gpu_no_larger_than_the_reserve_is_not_ours() -> None:
    card = Gpus(FakeNvml((1.0, 4.0)))
    assert await card.share() is None
    card.close()


async def test_a_driver_that_goes_away_is_no_reason_for_a_level() -> None:
    driver = FakeNvml((19.0, 24.0))
    card = Gpus(driver)
    driver.gone = True
    assert await card.share() is None
    assert await card.share() is None
    card.close()


def test_a_machine_without_the_library_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus.found("no_such_module") is None
    monkeypatch.setattr(gpus.importlib, "import_module", lambda name: FakeNvml())
    assert gpus.found() is None
    monkeypatch.setattr(gpus.importlib, "import_module", lambda name: FakeNvml((1.0, 24.0)))
    card = gpus.found()
    assert card is not None
    card.close()


async def test_memory_drives_the_level() -> None:
    bench = Bench()
    assert await bench.seconds(10, vram=0.94) is Level.TOOL_REFUSE
