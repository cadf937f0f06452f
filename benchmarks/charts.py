"""Charts of the figures: matplotlib (requirements/bench.in), light background, nothing that is not a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import ScalarFormatter  # noqa: E402

from benchmarks.inproc.series import broken  # noqa: E402

COLOURS = {"ours": "#1f6f8b", "floor": "#9aa5ab", "pipecat": "#d08a2e", "livekit": "#9c4f6b"}
LABELS = {
    "ours": "GoAssist",
    "floor": "bare asyncio",
    "pipecat": "pipecat-ai 1.14.0",
    "livekit": "livekit-agents 1.8.9",
}
STYLE = {
    "figure.dpi": 150, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#e6e6e6", "axes.axisbelow": True, "legend.frameon": False,
}  # fmt: skip


def draw(figures: dict[str, Any], folder: Path) -> list[Path]:
    """Writes what there are figures for. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"ours": figures.get("inproc"), "floor": figures.get("floor"), **figures.get("peers", {})}
    sides = {name: _points(measured) for name, measured in sides.items() if measured}
    drawn = []
    with plt.rc_context(STYLE):
        if sides:
            drawn += [_overhead(sides, folder), _cost(sides, folder), _feel(sides, folder)]
        if "calm" in figures.get("pauses", {}):
            drawn += _pauses(figures["pauses"], folder)
    return drawn


def _points(measured: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """By number of sessions; without runs that failed."""
    return {int(n): f for n, f in measured.items() if n.isdigit() and "failed" not in f}


def _overhead(sides: dict[str, Any], folder: Path) -> Path:
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for name, points in sides.items():
        _line(axes, name, points, lambda f: f["overhead_ms"]["p95"])
    axes.set(xlabel="sessions in one process", ylabel="ms", title="Framework overhead, p95")
    _logarithmic(axes)
    axes.axhline(100, color="#b03030", linewidth=0.8, linestyle=":")
    axes.plot([], [], "o", color="#555", markerfacecolor="white", markersize=4, label="turns missed or sound broken")
    axes.legend(loc="center right", fontsize=8)
    return _save(figure, folder / "overhead.png")


def _cost(sides: dict[str, Any], folder: Path) -> Path:
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4))
    for name, points in sides.items():
        _line(left, name, points, lambda f: f["cpu_s_per_session_min"])
        _line(right, name, points, lambda f: f["rss_mb_per_session"])
    left.set(xlabel="sessions in one process", ylabel="CPU-s per session-minute", title="CPU", ylim=0)
    right.set(xlabel="sessions in one process", ylabel="MB per session", title="Memory")
    _logarithmic(right)
    left.legend(loc="upper right")
    return _save(figure, folder / "cost.png")


def _feel(sides: dict[str, Any], folder: Path) -> Path:
    """What a person feels, at the number of sessions that most sides have and hold."""
    sessions = max(set.intersection(*(set(points) for points in sides.values())) & {1, 10, 25} or {25})
    shown = {name: points[sessions] for name, points in sides.items() if sessions in points}
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.8))
    for axis, (key, title) in zip(
        axes,
        (("gap_ms", "End of speech → first audio"), ("barge_in_ms", "Start of speech → reply silent")),
        strict=True,
    ):
        values = [shown[name][key]["p50"] or 0 for name in shown]
        tops = [max(0, (shown[name][key]["p95"] or 0) - value) for name, value in zip(shown, values, strict=True)]
        axis.barh([LABELS[name] for name in shown], values, color=[COLOURS[name] for name in shown], height=0.6)
        axis.errorbar(values, range(len(values)), xerr=[[0] * len(values), tops], fmt="none", ecolor="#555", capsize=3)
        for row, (value, top) in enumerate(zip(values, tops, strict=True)):
            axis.annotate(f"{value:.0f}", (value + top, row), textcoords="offset points", xytext=(6, -3))
        axis.margins(x=0.15)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set(title=title, xlabel=f"ms, p50 and p95, {sessions} sessions")
    return _save(figure, folder / "feel.png")


def _pauses(pauses: dict[str, Any], folder: Path) -> list[Path]:
    """Cut-in rate against response gap, one point a side and kind of pause."""
    sides = {f"GoAssist, {patience}": pauses[patience] for patience in ("calm", "brisk") if patience in pauses}
    sides.update(pauses.get("peers", {}))
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for name, measured in sides.items():
        gap, ours = measured["first_audio_ms"]["p50"], "GoAssist" in name
        for kind, marker, lift in (("b", "o", -11), ("c", "s", 4)):
            rate = measured["cut_in"].get(kind)
            if rate is not None and gap is not None:
                axes.plot(gap, rate, marker, color="#1f6f8b" if ours else "#d08a2e")
                axes.annotate(f"{name} ({kind})", (gap, rate), textcoords="offset points",
                              xytext=(-6 if ours else 6, lift), ha="right" if ours else "left", fontsize=7)  # fmt: skip
    axes.margins(0.2)
    axes.set(xlabel="first audio after the true end of speech, p50 (ms)", ylabel="cut-ins (%)", title="Pauses")
    return [_save(figure, folder / "pauses.png")]


def _line(axes: Axes, name: str, points: dict[int, dict[str, Any]], value: Any) -> None:
    """Points that broke are hollow."""
    found: Sequence[tuple[int, float]] = [(n, v) for n in sorted(points) if (v := value(points[n])) is not None]
    colour = COLOURS[name]
    axes.plot([n for n, _ in found], [v for _, v in found], "o-", color=colour, label=LABELS[name], markersize=4)
    bad = [(n, v) for n, v in found if broken(points[n])]
    axes.plot([n for n, _ in bad], [v for _, v in bad], "o", color=colour, markerfacecolor="white", markersize=4)


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(ScalarFormatter())


def _save(figure: Any, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path
