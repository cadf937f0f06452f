"""A run's figures against the voice contract (product contract, sections 3 and 14). Pure."""

import enum
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.contracts.numbers import BARGE_IN_P95_MS, TTFA_P50_MS, TTFA_P95_MS
from pipeline.soak.measure import Trend, percentile, trend

FAILURES = "Failures"
TTFA_TURNS = 10
"""Fewer steady turns than this say nothing about a percentile."""
BARGE_INS = 5
WINDOW_TURNS = 40
"""'Throughout': no such window of consecutive turns may break the limit; the run needs at least two of them."""
TREND_WINDOW_S = 600.0
"""A straight line through less than ten minutes of steady state is weather, not climate: it may not fail a run."""
CREEP_SHARE = 0.05
CREEP_MB = 16.0
"""Memory creeps when the line through it rises by more than 5 % and more than 16 MB over the run."""
DRIFT_MS = TTFA_P95_MS / 10
"""Latency drifts when the line through TTFA rises by more than a tenth of its limit over the run."""


class Outcome(enum.StrEnum):
    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "not enough data"


@dataclass(frozen=True, slots=True)
class Line:
    """One promise and how it was kept."""

    name: str
    figure: float | None
    limit: float
    unit: str
    outcome: Outcome
    note: str = ""
    decides: bool = True
    """Without data here the whole verdict lacks data. What only a long run can show does not decide a short one."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a verdict rests on; steady state only."""

    ttfa_server_ms: Sequence[float]
    ttfa_client: Sequence[tuple[float, float]]
    """(seconds, ms), oldest first."""
    barge_in_ms: Sequence[float]
    memory: Sequence[tuple[float, float]]
    """(seconds, MB)."""
    failures: int
    restarts: int
    turns: int


def judge(figures: Figures) -> list[Line]:
    client_ms = [ms for _, ms in figures.ttfa_client]
    return [
        _none(FAILURES, figures.failures, enough=figures.turns > 0 or figures.failures > 0),
        _percentile("TTFA p95, server", figures.ttfa_server_ms, 0.95, TTFA_P95_MS, TTFA_TURNS),
        _percentile("TTFA p50, server", figures.ttfa_server_ms, 0.50, TTFA_P50_MS, TTFA_TURNS),
        _percentile("TTFA p95, at the caller", client_ms, 0.95, TTFA_P95_MS, TTFA_TURNS),
        _percentile("TTFA p50, at the caller", client_ms, 0.50, TTFA_P50_MS, TTFA_TURNS),
        _percentile("Barge-in p95", figures.barge_in_ms, 0.95, BARGE_IN_P95_MS, BARGE_INS, of="interruptions"),
        _throughout(client_ms),
        _drift(trend(figures.ttfa_client)),
        _creep(trend(figures.memory)),
        _none("Server restarts", figures.restarts, enough=len(figures.memory) > 1),
    ]


def overall(lines: Sequence[Line]) -> Outcome:
    """Fail if any line fails; pass when failures and percentiles do: a short run is not held up by trends."""
    if any(line.outcome is Outcome.FAIL for line in lines):
        return Outcome.FAIL
    return Outcome.PASS if all(line.outcome is Outcome.PASS for line in lines if line.decides) else Outcome.UNKNOWN


def _outcome(kept: bool) -> Outcome:
    return Outcome.PASS if kept else Outcome.FAIL


def _none(name: str, count: int, enough: bool) -> Line:
    outcome = _outcome(count == 0) if enough else Outcome.UNKNOWN
    return Line(name, float(count), 0.0, "", outcome, decides=name == FAILURES)


def _percentile(
    name: str, values: Sequence[float], share: float, limit_ms: float, needed: int, of: str = "turns"
) -> Line:
    figure, rests_on = percentile(values, share), f"{len(values)} steady {of}"
    if figure is None or len(values) < needed:
        return Line(name, figure, limit_ms, "ms", Outcome.UNKNOWN, f"{rests_on}; needs {needed}")
    return Line(name, figure, limit_ms, "ms", _outcome(figure <= limit_ms), rests_on)


def _throughout(client_ms: Sequence[float]) -> Line:
    """The worst window's p95; a rest that fills no window belongs to the last one."""
    name, needed = "TTFA p95 throughout (worst stretch)", 2 * WINDOW_TURNS
    if len(client_ms) < needed:
        note = f"{len(client_ms)} steady turns; needs {needed}"
        return Line(name, None, TTFA_P95_MS, "ms", Outcome.UNKNOWN, note, decides=False)
    starts = range(0, len(client_ms) - WINDOW_TURNS + 1, WINDOW_TURNS)
    ends = [*starts[1:], len(client_ms)]
    worst = max(percentile(client_ms[a:b], 0.95) or 0.0 for a, b in zip(starts, ends, strict=True))
    return Line(name, worst, TTFA_P95_MS, "ms", _outcome(worst <= TTFA_P95_MS), f"{len(starts)} stretches")


def _drift(line: Trend | None) -> Line:
    return _trend("Latency drift (rise over the run)", line, DRIFT_MS, "ms")


def _creep(line: Trend | None) -> Line:
    limit_mb = max(CREEP_MB, CREEP_SHARE * line.start) if line else CREEP_MB
    return _trend("Memory creep (rise over the run)", line, limit_mb, "MB")


def _trend(name: str, line: Trend | None, limit: float, unit: str) -> Line:
    if line is None:
        return Line(name, None, round(limit, 1), unit, Outcome.UNKNOWN, "nothing measured", decides=False)
    slope = f"{line.per_s * 3600:+.1f} {unit}/h over {line.span_s / 60:.1f} min"
    rise = round(line.rise, 1)
    if line.span_s < TREND_WINDOW_S:
        note = f"{slope}; judged from {TREND_WINDOW_S / 60:.0f} min on"
        return Line(name, rise, round(limit, 1), unit, Outcome.UNKNOWN, note, decides=False)
    return Line(name, rise, round(limit, 1), unit, _outcome(line.rise <= limit), slope)
