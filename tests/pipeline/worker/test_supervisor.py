"""Workers under a supervisor: real processes, killed and told to go."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pipeline.worker import supervisor
from pipeline.worker.supervisor import BACK_OFF_FIRST_S, BACK_OFF_MOST_S, Supervisor, back_off_s
from tests.services import wait_for

ROOT = Path(__file__).parents[3]
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF_FIRST_S", 0.05)
    monkeypatch.setattr(supervisor, "GRACE_S", 0.3)
    monkeypatch.setattr(supervisor, "LOOK_EVERY_S", 0.02)


def command(folder: Path, mode: str = "obey") -> Callable[[int], list[str]]:
    return lambda number: [sys.executable, "-m", "tests.fakes.post", str(folder), str(number), mode]


@contextmanager
def running(folder: Path, count: int, mode: str = "obey", drain_s: float = 5.0) -> Iterator[Supervisor]:
    one = Supervisor(command(folder, mode), count, drain_s=drain_s, env=ENV)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(one.run()))
    thread.start()
    try:
        yield one
    finally:
        one.end()
        thread.join()
    assert codes == [0]
    assert one.processes and all(process.poll() is not None for process in one.processes)


def signs(folder: Path, number: int | str = "*") -> list[str]:
    """number-pid-restarts of the processes that got so far."""
    return sorted(path.name for path in folder.glob(f"{number}-*"))


def test_all_run_and_all_end_when_it_is_told_to(tmp_path: Path) -> None:
    with running(tmp_path, 3) as one:
        wait_for("three workers", lambda: len(signs(tmp_path)) == 3)
        assert {sign.split("-")[0] for sign in signs(tmp_path)} == {"0", "1", "2"}
        pids = [process.pid for process in one.processes]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_one_that_is_killed_is_started_again_and_knows_it(tmp_path: Path) -> None:
    with running(tmp_path, 2) as one:
        wait_for("two workers", lambda: len(signs(tmp_path)) == 2)
        victim, bystander = (process.pid for process in one.processes)
        os.kill(victim, signal.SIGKILL)
        wait_for("another one", lambda: len(signs(tmp_path, 0)) == 2)
        assert {sign.split("-")[2] for sign in signs(tmp_path, 0)} == {"0", "1"}
        assert [process.pid for process in one.processes][1] == bystander
        assert len(signs(tmp_path, 1)) == 1


def test_one_that_dies_at_its_start_is_started_again_and_again(tmp_path: Path) -> None:
    one = Supervisor(command(tmp_path, "die"), 1, drain_s=1.0, env=ENV)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        wait_for("three starts", lambda: len(signs(tmp_path)) >= 3)
    finally:
        one.end()
        thread.join()


def test_pauses_grow_to_a_bound() -> None:
    assert [back_off_s(deaths) / supervisor.BACK_OFF_FIRST_S for deaths in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert back_off_s(50) == BACK_OFF_MOST_S
    assert BACK_OFF_FIRST_S < BACK_OFF_MOST_S


def test_who_does_not_drain_in_time_is_killed(tmp_path: Path) -> None:
    one = Supervisor(command(tmp_path, "ignore"), 1, drain_s=0.1, env=ENV)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(one.run()))
    thread.start()
    wait_for("a worker", lambda: len(signs(tmp_path)) == 1)
    one.end()
    thread.join()
    assert codes == [1]
    assert [process.returncode for process in one.processes] == [-signal.SIGKILL]


SUPERVISE = """
import sys
from pathlib import Path
from tests.pipeline.worker.test_supervisor import ENV, command
from pipeline.worker.supervisor import Supervisor
sys.exit(Supervisor(command(Path(sys.argv[1]), sys.argv[2]), 2, drain_s=5.0, env=ENV).run())
"""


@contextmanager
def supervisor_process(folder: Path, mode: str) -> Iterator["tuple[subprocess.Popen[bytes], list[int]]"]:
    """A supervisor in a process of its own, and the pids of its two workers."""
    process = subprocess.Popen([sys.executable, "-c", SUPERVISE, str(folder), mode], cwd=ROOT, env=ENV)
    pids: list[int] = []
    try:
        wait_for("two workers", lambda: len(signs(folder)) == 2)
        pids = [int(sign.split("-")[1]) for sign in signs(folder)]
        yield process, pids
    finally:
        process.kill()
        process.wait()
        for pid in filter(psutil.pid_exists, pids):
            os.kill(pid, signal.SIGKILL)


def gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


@pytest.mark.parametrize("mode", ["obey", "alone"])
def test_a_supervisor_that_is_killed_leaves_no_orphans(tmp_path: Path, mode: str) -> None:
    with supervisor_process(tmp_path, mode) as (process, pids):
        process.kill()
        wait_for("the workers' end", lambda: gone(pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_handed_on(tmp_path: Path, number: signal.Signals) -> None:
    with supervisor_process(tmp_path, "obey") as (process, pids):
        process.send_signal(number)
        assert process.wait(20) == 0
        assert gone(pids)
