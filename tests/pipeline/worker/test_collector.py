"""The garbage collector: its pauses are measured, its settings are the worker's while that runs, nothing piles up."""

import asyncio
import gc

from prometheus_client import REGISTRY

from pipeline.worker import collector
from pipeline.worker.collector import HELD, THRESHOLDS, Collector
from tests.fakes.clock import settle


def count(generation: int) -> float:
    return REGISTRY.get_sample_value("goassist_gc_pause_seconds_count", {"generation": str(generation)}) or 0.0


def longest(generation: int) -> float:
    return REGISTRY.get_sample_value("goassist_gc_pause_max_seconds", {"generation": str(generation)}) or 0.0


async def test_pauses_are_measured_by_generation() -> None:
    watched = Collector()
    task = asyncio.create_task(watched.run())
    await settle()
    before = count(1), count(2)
    gc.collect(1)
    gc.collect()
    watched.tell()
    task.cancel()
    await asyncio.wait({task})
    assert count(1) > before[0] and count(2) > before[1], "others may have been collected meanwhile"
    assert 0.0 < longest(2) < 60.0


async def test_the_interpreter_is_left_as_it_was() -> None:
    before = gc.get_threshold(), len(gc.callbacks)
    watched = Collector()
    task = asyncio.create_task(watched.run())
    await settle()
    assert gc.get_threshold() == THRESHOLDS
    watched.freeze()
    assert gc.get_freeze_count() > 0
    task.cancel()
    await asyncio.wait({task})
    assert (gc.get_threshold(), len(gc.callbacks)) == before
    assert gc.get_freeze_count() == 0


async def test_pauses_that_nobody_asks_for_do_not_pile_up() -> None:
    watched = Collector()
    for _ in range(HELD + 10):
        watched._collected("start", {"generation": 0})
        watched._collected("stop", {"generation": 0})
    assert len(watched._pauses) == HELD
    watched.tell()
    assert not watched._pauses


async def test_it_tells_by_itself(monkeypatch) -> None:
    monkeypatch.setattr(collector, "TELL_EVERY_S", 0.01)
    watched = Collector()
    task = asyncio.create_task(watched.run())
    await settle()
    before = count(2)
    gc.collect()
    async with asyncio.timeout(5):
        while count(2) == before:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
