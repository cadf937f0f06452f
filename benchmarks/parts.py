"""The parts of the benchmark, and how long each takes: all return what they add to the one JSON object."""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inproc import series, sounds
from benchmarks.inproc.series import Runs, Side
from benchmarks.machine import ROOT
from benchmarks.peers.environments import PEERS, peer

OURS = Side("ours", "benchmarks.inproc.ours")
WAITING = Side("ours without speculation", "benchmarks.inproc.waiting")
FLOOR = Side("floor", "benchmarks.inproc.floor")
SESSIONS = (1, 10, 25, 50, 100)
QUICK_SESSIONS = (25, 100)


@dataclass(frozen=True, slots=True)
class Plan:
    quick: bool
    peers: bool
    sessions: tuple[int, ...]
    seconds: float
    search: bool
    core: int | None


def plan(options: argparse.Namespace) -> Plan:
    quick = bool(options.quick)
    return Plan(
        quick=quick,
        peers=options.peers,
        sessions=tuple(options.sessions or (QUICK_SESSIONS if quick else SESSIONS)),
        seconds=options.seconds or (15.0 if quick else 40.0),
        search=not quick and not options.no_search,
        core=options.core,
    )


def inproc(plan: Plan) -> dict[str, Any]:
    """No transport: ours, the floor below anything, and with `peers` the peers."""
    with tempfile.TemporaryDirectory(prefix="goassist-bench-") as folder:
        sounds.make(Path(folder))
        runs = Runs(plan.seconds, Path(folder), plan.core)
        figures = {"inproc": series.series(runs.of(OURS), plan.sessions, search=plan.search)}
        figures["floor"] = series.series(
            runs.of(FLOOR), plan.sessions[:1] if plan.quick else plan.sessions, search=False
        )
        if not plan.quick:
            figures["waiting"] = series.series(runs.of(WAITING), plan.sessions, search=False)
        if plan.peers:
            figures["peers"] = {
                name: series.series(runs.of(peer(name)), plan.sessions, search=plan.search) for name in PEERS
            }
    return figures


def webrtc(plan: Plan) -> dict[str, Any]:
    from benchmarks.webrtc.series import measure

    counts = (10,) if plan.quick else (10, 64)
    return {"webrtc": measure(counts, plan.seconds, search=plan.search)}


def browser(plan: Plan) -> dict[str, Any]:
    from benchmarks.browser import measure

    return {"browser": measure(5 if plan.quick else 24, over_websocket=0 if plan.quick else 12)}


def pauses(plan: Plan) -> dict[str, Any]:
    """benchmarks/pauses: `calm` and `brisk`, each with `cut_in` in percent per kind and `first_audio_ms`; `peers`; and
    `goes_on`, what whole sessions do in real time, which takes five minutes."""
    figures = _asked("benchmarks.pauses", *["--quick"] * plan.quick, *["--peers"] * plan.peers)
    if not plan.quick:
        figures["goes_on"] = _asked("benchmarks.pauses.live")
    return {"pauses": figures}


def _asked(module: str, *flags: str) -> dict[str, Any]:
    print(f"{module} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", module, "--json", *flags]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(json.loads(printed))


def embedded(plan: Plan) -> dict[str, Any]:
    from benchmarks.embedded import embedded as measure

    return {} if plan.quick else {"embedded": measure((1, 10), minutes=2.5, duty=0.6)}
