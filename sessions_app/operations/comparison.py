"""Soak reports side by side. Pure."""

from collections.abc import Sequence
from typing import Any

from sessions_app.operations.models import SoakRun

FIGURES = (
    ("TTFA at the caller", "ttfa_ms"),
    ("TTFA, server", "server.ttfa_ms"),
    ("Response gap", "gap_ms"),
    ("Barge-in", "barge_in_ms"),
    ("Barge-in, from the caller's first word", "felt_barge_in_ms"),
)


def compared(runs: Sequence[SoakRun]) -> list[tuple[str, list[str]]]:
    """(row's name, one text per run)."""
    rows = [
        ("Assistant", [run.assistant_name for run in runs]),
        ("Callers", [str(run.callers) for run in runs]),
        ("Duration", [f"{run.report.get('duration_s', 0) / 60:.1f} min" for run in runs]),
        ("Duty cycle", [f"{run.duty:g}" for run in runs]),
        ("Verdict", [run.verdict or run.state for run in runs]),
        ("Turns", [_text(run.report.get("turns")) for run in runs]),
        ("Failures", [_text(run.report.get("failures")) for run in runs]),
    ]
    rows += [
        (f"{name} {share}", [_text(run.steady(figure, share), " ms") for run in runs])
        for name, figure in FIGURES
        for share in ("p50", "p95")
    ]
    rows += [
        ("CPU, mean", [_server(run, "cpu_mean_percent", " %") for run in runs]),
        ("Memory slope", [_server(run, "memory_slope_mb_per_h", " MB/h") for run in runs]),
    ]
    return rows


def _server(run: SoakRun, name: str, unit: str) -> str:
    return _text(run.report.get("server", {}).get(name), unit)


def _text(value: Any, unit: str = "") -> str:
    return "–" if value is None else f"{value:g}{unit}"
