"""All tests, in two lanes beside each other: `python -m tests.lanes`. `make test` runs it.

The routes wait for people to finish their sentences most of the time; the other tests use what they leave of the
machine, at a lower priority, so that a call in a route is served in time. Lines begin with the name of their lane. Much
of what is tested is a call in real time, which a machine with other work can spoil: what failed beside others is run
once more, alone, and has failed if it fails again. Both are printed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

PYTEST = (sys.executable, "-m", "pytest")
TESTS_FAILED = 1
"""pytest's exit status; any other failure is not the tests' own."""
LAST_FAILED = "--last-failed"
Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and where pytest keeps what failed in it. `niceness` as in nice(1)."""

    lane: str
    niceness: int
    command: Command
    cache: str


@dataclass(frozen=True, slots=True)
class Done:
    """`last_line`: of what it printed (pytest's count)."""

    step: Step
    status: int
    took_s: float
    last_line: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Commands that run one after the other, each whatever became of the one before."""

    name: str
    niceness: int
    commands: Sequence[Command]

    def steps(self) -> list[Step]:
        return [
            Step(self.name, self.niceness, command, f".pytest_cache/{self.name}-{number}")
            for number, command in enumerate(self.commands)
        ]


LANES = (
    Lane("routes", 0, [[*PYTEST, "tests/routes"], [sys.executable, "-m", "tests.on_postgres", "tests/sessions_app"]]),
    Lane("units", 5, [[*PYTEST, "tests", "--ignore=tests/routes"]]),
)


def run(lanes: Sequence[Lane]) -> int:
    """All lanes at once, their output line by line. Returns 0 when all commands did, otherwise the first other."""
    with ThreadPoolExecutor(len(lanes), thread_name_prefix="lane") as pool:
        done = [one for walked in pool.map(_walk, lanes) for one in walked]
    done += [_alone(one.step) for one in done if one.status == TESTS_FAILED]
    for one in done:
        print(f"{one.step.lane}: exit status {one.status} after {one.took_s:.0f} s: {one.last_line}", flush=True)
    confirmed = {one.step.cache: one.status for one in done}
    return next((status for status in confirmed.values() if status), 0)


def _walk(lane: Lane) -> list[Done]:
    return [_one(step) for step in lane.steps()]


def _alone(step: Step) -> Done:
    return _one(replace(step, lane=f"{step.lane}, alone", niceness=0, command=[*step.command, LAST_FAILED]))


def _one(step: Step) -> Done:
    began_s, line = time.monotonic(), ""
    with subprocess.Popen(
        ["nice", "-n", str(step.niceness), *step.command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} -o cache_dir={step.cache}"},
    ) as process:
        for line in process.stdout or ():
            print(f"{step.lane} | {line}", end="", flush=True)
    return Done(step, process.returncode, time.monotonic() - began_s, line.strip())


if __name__ == "__main__":
    sys.exit(run(LANES))
