"""A whole run: callers, resource watch and progress together, until the time is over or someone stops it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.soak import lines, plan, report
from pipeline.soak.caller import Caller
from pipeline.soak.office import Office
from pipeline.soak.resources import Spent, watch
from pipeline.soak.tally import Tally

PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    url: str
    assistant: str
    callers: int
    minutes: float
    duty: float
    """Share of the time (0 to 1) that a caller is in an exchange of words."""
    seed: int
    metrics_urls: tuple[str, ...]


Emit = Callable[[dict[str, Any]], None]


async def run(settings: Settings, key: str, emit: Emit, stop: asyncio.Event) -> dict[str, Any]:
    """The report. Raises Usage when the run cannot begin (wrong key, assistant or address)."""
    repertoire = lines.load()
    office = Office(settings.url, key, settings.assistant)
    try:
        tally, spent = Tally(), Spent()
        steps = [
            plan.exchanges(settings.seed, n, sorted(repertoire.lines), sorted(repertoire.interruptions))
            for n in range(settings.callers)
        ]
        callers = [Caller(n, office, repertoire, s, settings.duty, tally) for n, s in enumerate(steps)]
        stopped = await _until_over(settings, callers, tally, spent, emit, stop)
    finally:
        await office.close()
    return report.report(tally, spent, asdict(settings), stopped)


async def _until_over(
    settings: Settings, callers: list[Caller], tally: Tally, spent: Spent, emit: Emit, stop: asyncio.Event
) -> bool:
    """True when it was stopped before its time."""
    tasks = [asyncio.create_task(caller.run()) for caller in callers]
    tasks.append(asyncio.create_task(watch(settings.metrics_urls, spent)))
    tasks.append(asyncio.create_task(_tell(tally, spent, emit)))
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait(
            [waiting, *tasks[:-2], tasks[-1]], timeout=settings.minutes * 60, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for task in (waiting, *tasks):
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
    return bool(done)


async def _tell(tally: Tally, spent: Spent, emit: Emit) -> None:
    """A progress line each second; the chart's series as often as it gets a new point."""
    series_due_s = 0.0
    while True:
        emit(report.progress(tally, spent))
        if tally.elapsed_s >= series_due_s:
            emit({"type": "series", "points": report.series(tally, spent)})
            series_due_s = tally.elapsed_s + report.step_of(tally.elapsed_s)
        await asyncio.sleep(PROGRESS_EVERY_S)


def fresh_seed() -> int:
    return random.SystemRandom().randrange(1 << 31)
