"""The whole product with its embedded engines, and callers that talk with it over WebRTC: latency and cost."""

import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.talk import product, talk

COLUMNS = (
    ("TTFA server", "server.ttfa_ms"),
    ("TTFA caller", "ttfa_ms"),
    ("gap", "gap_ms"),
    ("barge-in", "barge_in_ms"),
)


def embedded(sessions: Sequence[int], minutes: float, duty: float) -> dict[str, Any]:
    """By number of sessions, each with a freshly started product; `duty`: share of the time in conversation."""
    figures = {}
    for count in sessions:
        print(f"embedded engines, {count} sessions, {minutes:g} min ...", file=sys.stderr, flush=True)
        with product(seats=count + 1) as running:
            figures[str(count)] = _figures(talk(running, count, minutes, duty))
    return figures


def _figures(result: dict[str, Any]) -> dict[str, Any]:
    steady, tree = result["steady"], result["tree"]
    named = {
        "ttfa_server_ms": steady["server.ttfa_ms"],
        "ttfa_client_ms": steady["ttfa_ms"],
        "gap_ms": steady["gap_ms"],
        "barge_in_ms": steady["barge_in_ms"],
    }
    return {
        **named,
        "turns": result["turns"],
        "warmup_turns": result["warmup_turns"],
        "failures": result["failures"],
        "cpu_s_per_session_min": tree["cpu_s_per_session_minute"],
        "memory_mb": tree["peak_memory_mb"],
    }
