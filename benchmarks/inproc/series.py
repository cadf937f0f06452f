"""One side after the other, each number of sessions in a fresh process on the same core; and how many it carries."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

OVERHEAD_LIMIT_MS = 100.0
FAR = 400
"""No search goes beyond this many sessions."""
SEARCH_RUNS = 5
SHOWN_LINES = 5
"""Of what a run wrote on stderr."""
START_S = 120.0
"""What a run may take besides its warm-up and measured time: imports, opening sessions, closing them."""


@dataclass(frozen=True, slots=True)
class Side:
    """Who is measured: `python -m MODULE` in an environment."""

    name: str
    module: str
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Runs:
    seconds: float
    sounds: Path
    core: int | None = None

    def of(self, side: Side) -> Callable[[int], dict[str, Any]]:
        return lambda sessions: self.measure(side, sessions)

    def measure(self, side: Side, sessions: int) -> dict[str, Any]:
        """The figures; `{"failed": why}` when the run did not end well."""
        print(f"{side.name}, {sessions} sessions ...", file=sys.stderr, flush=True)
        command = [
            side.python, "-m", side.module, "--sessions", str(sessions), "--seconds", str(self.seconds),
            "--sounds", str(self.sounds), *(["--core", str(self.core)] if self.core is not None else []),
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=env,
                capture_output=True,
                text=True,
                timeout=START_S + 2 * self.seconds + sessions,
            )
        except subprocess.TimeoutExpired:
            return {"sessions": sessions, "failed": "did not end in time"}
        if done.returncode != 0 or not done.stdout.strip():
            return {"sessions": sessions, "failed": done.stderr.strip()[-300:]}
        for line in done.stderr.strip().splitlines()[-SHOWN_LINES:]:
            print(f"  {line}", file=sys.stderr)
        figures = json.loads(done.stdout.strip().splitlines()[-1])
        print("  " + said(figures), file=sys.stderr, flush=True)
        return figures


def said(figures: dict[str, Any]) -> str:
    """One line of the figures that matter most."""
    spreads = ", ".join(
        f"{name} {figures[name]['p50']}/{figures[name]['p95']}"
        for name in ("overhead_ms", "gap_ms", "barge_in_ms", "ttfa_client_ms", "uplink_ms")
        if name in figures
    )
    return (
        f"{spreads}, {figures['missed_turns']} missed of {figures['turns']}, "
        f"{figures['gaps_over_60ms']} gaps, {figures['cpu_s_per_session_min']} CPU-s/session-min"
    )


def broken(figures: dict[str, Any]) -> str:
    """Why these figures are not acceptable; empty when they are."""
    if "failed" in figures:
        return str(figures["failed"])
    if figures["missed_turns"] or not figures["turns"]:
        return f"{figures['missed_turns']} missed turns"
    if figures["gaps_over_60ms"]:
        return f"{figures['gaps_over_60ms']} gaps over 60 ms, the longest {figures['longest_gap_ms']} ms"
    if figures["overhead_ms"]["p95"] > OVERHEAD_LIMIT_MS:
        return f"overhead p95 {figures['overhead_ms']['p95']} ms"
    return ""


def series(
    measure: Callable[[int], dict[str, Any]],
    counts: Sequence[int],
    *,
    search: bool,
    broken: Callable[[dict[str, Any]], str] = broken,
) -> dict[str, Any]:
    """By number of sessions, and under `limit` what a search between and beyond them found."""
    measured = {count: measure(count) for count in counts}
    found = {"limit": limit(measured, measure, broken)} if search else {}
    return {**{str(count): measured[count] for count in sorted(measured)}, **found}


def limit(
    measured: dict[int, dict[str, Any]],
    measure: Callable[[int], dict[str, Any]],
    broken: Callable[[dict[str, Any]], str] = broken,
) -> dict[str, Any]:
    """The largest number of sessions that held, by bisection to a tenth, or beyond by doubling; `measured` grows."""
    for _ in range(SEARCH_RUNS):
        good, bad = _bounds(measured, broken)
        if good >= FAR:
            break
        following = min(2 * good, FAR) if bad is None else (good + bad) // 2
        if following in measured or (bad is not None and bad - good <= max(5, bad // 10)):
            break
        measured[following] = measure(following)
    good, bad = _bounds(measured, broken)
    return {"sessions": good, "broken_at": bad, "because": broken(measured[bad]) if bad else ""}


def _bounds(measured: dict[int, dict[str, Any]], broken: Callable[[dict[str, Any]], str]) -> tuple[int, int | None]:
    """The largest number that held below the smallest that broke, and that one. 0: none held."""
    bad = min((count for count, figures in measured.items() if broken(figures)), default=None)
    good = max((count for count in measured if bad is None or count < bad), default=0)
    return good, bad
