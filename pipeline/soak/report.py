"""From a run's tally to what people and programs read: progress lines, the chart's series, the report."""

from typing import Any

from pipeline.contracts.numbers import WARMUP_S
from pipeline.soak.measure import percentile, trend
from pipeline.soak.resources import Spent
from pipeline.soak.tally import Tally, figure_of
from pipeline.soak.verdict import Figures, Outcome, judge, overall

SCHEMA = 1
POINTS = 240
"""The chart's resolution: a longer run gets wider steps, not more of them."""
STEP_S = 5.0
RECENT = 2000
"""Progress looks at this many turns at most: it is told each second, beside the measuring."""
FIGURES = (
    "ttfa_ms", "gap_ms", "barge_in_ms", "felt_barge_in_ms", "server.ttfa_ms", "server.endpoint_ms", "server.asr_ms",
    "server.llm_first_token_ms", "server.tts_first_audio_ms", "server.barge_in_ms",
)  # fmt: skip


def progress(tally: Tally, spent: Spent) -> dict[str, Any]:
    """One NDJSON line of how it goes; percentiles of steady state."""
    cpu = spent.cpu_percent()
    return {
        "type": "progress",
        "t_s": round(tally.elapsed_s, 1),
        "live": len(tally.live),
        "sessions": tally.sessions,
        "turns": len(tally.turns),
        "warmup_turns": sum(turn.warmup for turn in tally.turns),
        "failures": tally.failures.total(),
        "moves": tally.moves,
        "waits": tally.waits,
        "ttfa_p50_ms": percentile(tally.steady("ttfa_ms", last=RECENT), 0.50),
        "ttfa_p95_ms": percentile(tally.steady("ttfa_ms", last=RECENT), 0.95),
        "barge_in_p95_ms": percentile(tally.steady("barge_in_ms", last=RECENT), 0.95),
        "memory_mb": round(spent.samples[-1].memory_mb, 1) if spent.samples else None,
        "cpu_percent": round(cpu[-1][1], 1) if cpu else None,
    }


def step_of(elapsed_s: float) -> float:
    return max(STEP_S, elapsed_s / POINTS)


def series(tally: Tally, spent: Spent) -> list[dict[str, Any]]:
    """The run in at most POINTS steps, warm-up included: what a chart draws."""
    step_s = step_of(tally.elapsed_s)
    steps: dict[int, dict[str, list[float]]] = {}

    def put(at_s: float, name: str, value: float | None) -> None:
        if value is not None:
            steps.setdefault(int(at_s / step_s), {}).setdefault(name, []).append(value)

    for turn in tally.turns:
        for name in ("ttfa_ms", "server.ttfa_ms", "gap_ms", "barge_in_ms"):
            put(turn.at_s, name, figure_of(turn, name))
        put(turn.at_s, "turns", 1.0)
    for at_s, memory_mb in spent.memory():
        put(at_s, "memory_mb", memory_mb)
    for at_s, percent in spent.cpu_percent():
        put(at_s, "cpu_percent", percent)
    return [_point(index * step_s, steps[index]) for index in sorted(steps)]


def _point(t_s: float, values: dict[str, list[float]]) -> dict[str, Any]:
    def mean(name: str) -> float | None:
        found = values.get(name)
        return round(sum(found) / len(found), 1) if found else None

    return {
        "t_s": round(t_s, 1),
        "turns": len(values.get("turns", ())),
        "ttfa_p50_ms": percentile(values.get("ttfa_ms", ()), 0.50),
        "ttfa_p95_ms": percentile(values.get("ttfa_ms", ()), 0.95),
        "server_ttfa_p95_ms": percentile(values.get("server.ttfa_ms", ()), 0.95),
        "gap_p50_ms": percentile(values.get("gap_ms", ()), 0.50),
        "barge_in_p95_ms": percentile(values.get("barge_in_ms", ()), 0.95),
        "memory_mb": mean("memory_mb"),
        "cpu_percent": mean("cpu_percent"),
    }


def report(tally: Tally, spent: Spent, settings: dict[str, Any], stopped: bool) -> dict[str, Any]:
    """The kept result of a run. `settings`: what it was asked to do."""
    lines = judge(_figures(tally, spent))
    outcome = overall(lines)
    return {
        "schema": SCHEMA,
        "settings": settings,
        "duration_s": round(tally.elapsed_s, 1),
        "stopped": stopped,
        "verdict": "stopped" if stopped and outcome is not Outcome.FAIL else outcome.value,
        "lines": [line.to_json() for line in lines],
        "sessions": tally.sessions,
        "turns": len(tally.turns),
        "warmup_turns": sum(turn.warmup for turn in tally.turns),
        "not_understood": sum(not turn.understood for turn in tally.turns),
        "failures": tally.failures.total(),
        "failures_by_kind": dict(tally.failures.most_common()),
        "first_failures": tally.first_failures,
        "moves": tally.moves,
        "losses": tally.losses,
        "waits": tally.waits,
        "steady": {name: _spread(tally.steady(name)) for name in FIGURES},
        "warmup": {name: _spread(_warmup(tally, name)) for name in FIGURES},
        "server": _server(spent),
        "series": series(tally, spent),
    }


def _figures(tally: Tally, spent: Spent) -> Figures:
    return Figures(
        ttfa_server_ms=tally.steady("server.ttfa_ms"),
        ttfa_client=tally.steady_in_time("ttfa_ms"),
        barge_in_ms=tally.steady("barge_in_ms"),
        memory=spent.memory(since_s=WARMUP_S),
        failures=tally.failures.total(),
        restarts=spent.restarts,
        turns=len(tally.turns),
    )


def _warmup(tally: Tally, figure: str) -> list[float]:
    return [value for turn in tally.turns if turn.warmup and (value := figure_of(turn, figure)) is not None]


def _spread(values: list[float]) -> dict[str, Any]:
    return {
        "count": len(values),
        "p50": percentile(values, 0.50),
        "p95": percentile(values, 0.95),
        "max": max(values, default=None),
    }


def _server(spent: Spent) -> dict[str, Any]:
    memory, cpu = trend(spent.memory(since_s=WARMUP_S)), trend(spent.cpu_percent(since_s=WARMUP_S))
    return {
        "samples": len(spent.samples),
        "unanswered": spent.unanswered,
        "restarts": spent.restarts,
        "memory_first_mb": round(spent.samples[0].memory_mb, 1) if spent.samples else None,
        "memory_last_mb": round(spent.samples[-1].memory_mb, 1) if spent.samples else None,
        "memory_slope_mb_per_h": round(memory.per_s * 3600, 2) if memory else None,
        "cpu_mean_percent": _mean([percent for _, percent in spent.cpu_percent()]),
        "cpu_slope_percent_per_h": round(cpu.per_s * 3600, 2) if cpu else None,
    }


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None


def summary(result: dict[str, Any]) -> str:
    """The report in words, for a person at a terminal."""
    rows = [f"soak: {result['verdict']}" + (" (stopped before its time)" if result["stopped"] else "")]
    rows.append(
        f"  {result['duration_s'] / 60:.1f} min, {result['sessions']} sessions, {result['turns']} turns"
        f" ({result['warmup_turns']} warm-up), {result['failures']} failures, {result['moves']} moves"
    )
    for line in result["lines"]:
        figure = "-" if line["figure"] is None else f"{line['figure']:.4g}"
        kept = f"{figure:>7} of {line['limit']:g} {line['unit']}"
        rows.append(f"  {line['outcome']:<15} {line['name']:<36} {kept:<20} {line['note']}")
    rows += [f"  {count} × {text}" for text, count in result["failures_by_kind"].items()]
    return "\n".join(rows)
