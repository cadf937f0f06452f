"""The table: latency and cost of a growing number of sessions, each measured with a freshly started product."""

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.talk import product, talk

COLUMNS = (
    ("TTFA server", "server.ttfa_ms"),
    ("TTFA caller", "ttfa_ms"),
    ("gap", "gap_ms"),
    ("barge-in", "barge_in_ms"),
)
HEADER = ["sessions", "turns", "failures", *(f"{n} p50/p95 (ms)" for n, _ in COLUMNS), "CPU-s/session-min", "MB"]


def bench(sessions: Sequence[int], minutes: float, duty: float) -> dict[str, Any]:
    """Runs and prints; returns what was measured."""
    results = []
    for count in sessions:
        print(f"{count} sessions, {minutes:g} min ...", flush=True)
        with product(seats=count + 1) as running:
            results.append(talk(running, count, minutes, duty))
    print("\n" + table(results))
    return {"machine": machine(), "minutes": minutes, "duty": duty, "results": results}


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown."""
    rows = [HEADER, ["---"] * len(HEADER), *map(_row, results)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(result: dict[str, Any]) -> list[str]:
    tree = result["tree"]
    return [
        str(result["callers"]),
        f"{result['turns']} ({result['warmup_turns']} warm-up)",
        str(result["failures"]),
        *(_pair(result["steady"][figure]) for _, figure in COLUMNS),
        f"{tree['cpu_s_per_session_minute']:.2f}",
        f"{tree['peak_memory_mb']:.0f}",
    ]


def _pair(spread: dict[str, Any]) -> str:
    return " / ".join("–" if spread[p] is None else f"{spread[p]:.0f}" for p in ("p50", "p95"))


def machine() -> str:
    memory_gb = psutil.virtual_memory().total / 1e9
    python = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_cpu_name()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {python}"


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())


def keep(measured: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.write_text(json.dumps(measured, indent=1))
    return file
