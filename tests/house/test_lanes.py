"""The command that runs all tests: no test is in no lane, and a lane that fails is told."""

import sys

import pytest

from tests.house.tree import ROOT, text
from tests.lanes import LANES, LAST_FAILED, Lane, run


def says(words: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"print({words!r}); raise SystemExit({code})"]


def test_each_line_carries_the_name_of_its_lane(capfd: pytest.CaptureFixture[str]):
    assert run([Lane("one", 0, [says("first"), says("second")]), Lane("two", 5, [says("other")])]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line in ("one | first", "one | second")] == ["one | first", "one | second"]
    assert "two | other" in lines


def test_a_failure_is_the_result_and_keeps_nothing_from_running(capfd: pytest.CaptureFixture[str]):
    assert run([Lane("one", 0, [says("bad", 3), says("after")]), Lane("two", 0, [says("good")])]) == 3
    lines = capfd.readouterr().out.splitlines()
    assert {"one | bad", "one | after", "two | good"} <= set(lines)
    assert [line.split(":")[0] for line in lines[-3:]] == ["one", "one", "two"]
    assert "exit status 3" in lines[-3] and lines[-3].endswith(": bad")


@pytest.mark.parametrize(("again", "result"), [(0, 0), (1, 1)])
def test_what_fails_beside_others_is_run_once_more_alone(again: int, result: int, capfd: pytest.CaptureFixture[str]):
    """With what failed only; and what fails again has failed."""
    told = f"import sys; alone = sys.argv[-1] == {LAST_FAILED!r}; print(alone); sys.exit({again} if alone else 1)"
    assert run([Lane("one", 0, [[sys.executable, "-c", told]])]) == result
    lines = capfd.readouterr().out.splitlines()
    assert lines[:2] == ["one | False", "one, alone | True"]
    assert [line.split(" after")[0] for line in lines[2:]] == ["one: exit status 1", f"one, alone: exit status {again}"]


def test_a_developers_own_pytest_options_stay(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    told = "import os; print(os.environ['PYTEST_ADDOPTS'])"
    assert run([Lane("one", 0, [[sys.executable, "-c", told]])]) == 0
    assert capfd.readouterr().out.splitlines()[0] == "one | -x -o cache_dir=.pytest_cache/one-0"


def test_every_test_is_in_a_lane():
    commands = [command for lane in LANES for command in lane.commands]
    ignored = [word.removeprefix("--ignore=") for command in commands for word in command if "--ignore=" in word]
    whole = next(command for command in commands if "tests" in command)
    assert f"--ignore={ignored[0]}" in whole
    assert all(any(place in command for command in commands) and (ROOT / place).is_dir() for place in ignored)
    assert "tests.lanes" in text("Makefile")
