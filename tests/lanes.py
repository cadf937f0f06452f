"""All tests, in two lanes beside each other: `python -m tests.lanes`. `make test` runs it.

The routes wait for people to finish their sentences most of the time; the other tests use what they leave of the
machine, at a lower priority, so that a call in a route is served in time. Lines begin with the name of their lane.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PYTEST = (sys.executable, "-m", "pytest")
Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Lane:
    """Commands that run one after the other, each whatever became of the one before. `niceness` as in nice(1)."""

    name: str
    niceness: int
    commands: Sequence[Command]


LANES = (
    Lane("routes", 0, [[*PYTEST, "tests/routes"], [sys.executable, "-m", "tests.on_postgres", "tests/sessions_app"]]),
    Lane("units", 10, [[*PYTEST, "tests", "--ignore=tests/routes"]]),
)


@dataclass(frozen=True, slots=True)
class Done:
    """One command: its exit status, and the last line that it printed (pytest's count)."""

    lane: str
    status: int
    took_s: float
    last_line: str


def run(lanes: Sequence[Lane]) -> int:
    """All lanes at once, their output line by line. Returns 0 when all commands did, otherwise the first other."""
    with ThreadPoolExecutor(len(lanes), thread_name_prefix="lane") as pool:
        done = [one for walked in pool.map(_walk, lanes) for one in walked]
    for one in done:
        print(f"{one.lane}: exit status {one.status} after {one.took_s:.0f} s: {one.last_line}", flush=True)
    return next((one.status for one in done if one.status), 0)


def _walk(lane: Lane) -> list[Done]:
    return [_one(lane, command) for command in lane.commands]


def _one(lane: Lane, command: Command) -> Done:
    began_s, line = time.monotonic(), ""
    with subprocess.Popen(
        ["nice", "-n", str(lane.niceness), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            print(f"{lane.name} | {line}", end="", flush=True)
    return Done(lane.name, process.returncode, time.monotonic() - began_s, line.strip())


if __name__ == "__main__":
    sys.exit(run(LANES))
