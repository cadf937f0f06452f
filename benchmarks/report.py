"""The figures as Markdown tables, as docs/performance.md shows them."""

from collections.abc import Sequence
from typing import Any

INPROC = (
    ("overhead (ms)", "overhead_ms"),
    ("gap (ms)", "gap_ms"),
    ("barge-in (ms)", "barge_in_ms"),
)
COUNTS = (
    ("gaps > 60 ms", "gaps_over_60ms"),
    ("missed", "missed_turns"),
    ("stopped by okay", "backchannels_that_stopped_the_reply"),
    ("CPU-s/session-min", "cpu_s_per_session_min"),
    ("MB/session", "rss_mb_per_session"),
    ("longest GC (ms)", "gc_longest_ms"),
)
WEBRTC = (
    ("TTFA server (ms)", "ttfa_server_ms"),
    ("TTFA client (ms)", "ttfa_client_ms"),
    ("uplink (ms)", "uplink_ms"),
    ("barge-in (ms)", "barge_in_ms"),
)
WEBRTC_COUNTS = (
    ("frames/s", "frames_per_s"),
    ("gaps > 60 ms", "gaps_over_60ms"),
    ("missed", "missed_turns"),
    ("CPU-s/session-min", "cpu_s_per_session_min"),
)


def tables(figures: dict[str, Any]) -> str:
    """Everything that was measured; parts that were not are left out."""
    machine = figures["machine"]
    blocks = [f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, commit {machine['commit']}"]
    ours = {"ours": figures.get("inproc"), "waiting": figures.get("waiting"), "floor": figures.get("floor")}
    sides = {**ours, **figures.get("peers", {})}
    if any(sides.values()):
        blocks.append("Without transport (p50 / p95)\n\n" + _inproc(sides))
    if "webrtc" in figures:
        blocks.append("Over WebRTC (p50 / p95)\n\n" + _webrtc(figures["webrtc"]))
    blocks += [f"{name}\n\n" + _flat(figures[name]) for name in ("browser", "pauses", "embedded") if name in figures]
    return "\n\n".join(blocks)


def _inproc(sides: dict[str, Any]) -> str:
    rows = [["", "sessions", *(name for name, _ in INPROC), *(name for name, _ in COUNTS)]]
    limits = []
    for side, measured in sides.items():
        for sessions, figures in _measured(measured):
            if sessions == "limit":
                limits.append(f"{side}: {figures['sessions']} sessions hold; {figures['because'] or 'not more tried'}")
            else:
                rows.append([side, sessions, *_cells(figures, INPROC, COUNTS)])
    return "\n".join([_markdown(rows), *limits])


def _measured(measured: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """Without what a part that failed as a whole left."""
    return [(name, figures) for name, figures in (measured or {}).items() if isinstance(figures, dict)]


def _webrtc(measured: dict[str, Any]) -> str:
    rows = [["sessions", *(name for name, _ in WEBRTC), *(name for name, _ in WEBRTC_COUNTS)]]
    rows += [[n, *_cells(figures, WEBRTC, WEBRTC_COUNTS)] for n, figures in _measured(measured) if n != "limit"]
    limit = measured.get("limit")
    held = f"\n{limit['sessions']} sessions hold; {limit['because'] or 'not more tried'}" if limit else ""
    return _markdown(rows) + held


def _cells(figures: dict[str, Any], spreads: Sequence[tuple[str, str]], counts: Sequence[tuple[str, str]]) -> list[str]:
    if "failed" in figures:
        return ["failed", *[""] * (len(spreads) + len(counts) - 1)]
    pairs = [_pair(figures.get(key)) for _, key in spreads]
    return [*pairs, *(str(figures.get(key, "–")) for _, key in counts)]


def _pair(spread: dict[str, Any] | None) -> str:
    if not spread or spread["p50"] is None:
        return "–"
    return f"{spread['p50']:.1f} / {spread['p95']:.1f}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _flat(figures: dict[str, Any], prefix: str = "") -> str:
    """One line a figure, nested names joined by dots."""
    lines = []
    for name, value in figures.items():
        path = f"{prefix}.{name}" if prefix else name
        lines.append(_flat(value, path) if isinstance(value, dict) else f"{path}: {value}")
    return "\n".join(lines)
