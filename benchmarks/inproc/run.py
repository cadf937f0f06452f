"""Runs a number of sessions of one side in this process and prints what was measured as one JSON object.

python -m benchmarks.inproc.floor --sessions 25 --seconds 40 --sounds FOLDER
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inproc.caller import Caller
from benchmarks.inproc.sounds import load
from benchmarks.inproc.tally import Tally, summary
from benchmarks.inproc.ticker import Ticker
from benchmarks.inproc.usage import Collections, rss_mb

WARMUP_S = 12.0
"""Every caller has had a turn or two by then; nothing before it counts."""
SETTLE_S = 4.0
"""After the measured time, so that what was begun in it can still end."""

Close = Callable[[], Awaitable[None]]
Open = Callable[[Caller], Awaitable[Close]]


@dataclass(frozen=True, slots=True)
class Options:
    sessions: int
    seconds: float
    sounds: Path
    core: int | None


def main(prepare: Callable[[], Awaitable[Open]]) -> None:
    """`prepare` loads what all sessions share and returns how one is opened: it sets `caller.hear`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--sounds", type=Path, required=True, help="a folder made by benchmarks.inproc.sounds")
    parser.add_argument("--core", type=int, help="run on this CPU alone")
    options = Options(**vars(parser.parse_args()))
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    answer = sys.stdout
    sys.stdout = sys.stderr  # frameworks print; stdout is for the answer
    figures = asyncio.run(measure(prepare, options))
    print(json.dumps(figures), file=answer, flush=True)
    os._exit(0)  # some frameworks leave threads behind that would wait


async def measure(prepare: Callable[[], Awaitable[Open]], options: Options) -> dict[str, Any]:
    open_session = await prepare()
    voices, tally, collections = load(options.sounds), Tally(), Collections()
    said = list(voices.values())
    gc.collect()
    before_mb = rss_mb()
    callers = [Caller(number, said[number % len(said)], tally) for number in range(options.sessions)]
    closes = [await open_session(caller) for caller in callers]
    loop = asyncio.get_running_loop()
    ticker, until_s = Ticker(callers), loop.time() + WARMUP_S + options.seconds
    talking = [asyncio.create_task(caller.run(until_s)) for caller in callers]
    await asyncio.sleep(WARMUP_S)
    collections.begin()
    ticker.late_s, tally.open = 0.0, True
    cpu_s, wall_s, warm_mb = time.process_time(), loop.time(), rss_mb()
    await asyncio.sleep(options.seconds)
    cpu_s, wall_s, after_mb = time.process_time() - cpu_s, loop.time() - wall_s, rss_mb()
    tally.open = False
    figures = {
        "sessions": options.sessions,
        **summary(tally),
        "cpu_s_per_session_min": round(cpu_s / options.sessions / (wall_s / 60), 3),
        "rss_mb_per_session": round((after_mb - before_mb) / options.sessions, 2),
        "rss_mb_before": round(before_mb, 1),
        "rss_mb_growth_per_min": round((after_mb - warm_mb) / (wall_s / 60), 2),
        "loop_late_ms": round(ticker.late_s * 1000, 1),
        "gc_longest_ms": round(collections.longest_ms, 1),
        "gc_full": collections.full,
    }
    await _end(talking, ticker, closes)
    return figures


async def _end(talking: list["asyncio.Task[None]"], ticker: Ticker, closes: list[Close]) -> None:
    await asyncio.wait(talking, timeout=SETTLE_S)
    for task in talking:
        task.cancel()
    failed = [r for r in await asyncio.gather(*talking, return_exceptions=True) if isinstance(r, Exception)]
    ticker.stop()
    for error in failed[:3]:
        print(f"a caller failed: {error!r}", file=sys.stderr)
    try:
        async with asyncio.timeout(10):
            for close in closes:
                await close()
    except TimeoutError:
        print("the sessions did not close in time", file=sys.stderr)
