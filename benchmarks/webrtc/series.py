"""Numbers of sessions over WebRTC, each in fresh processes; and how many one core carries."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.inproc import sounds
from benchmarks.inproc.series import Runs, Side, series

SERVER = Side("webrtc", "benchmarks.webrtc.server")
FRAMES_PER_S = 49.5
"""Fewer, and sound that came was not heard in time: the core is full."""


def broken(figures: dict[str, Any]) -> str:
    """Why these figures are not acceptable; empty when they are."""
    if "failed" in figures:
        return str(figures["failed"])
    if figures["frames_per_s"] < FRAMES_PER_S:
        return f"{figures['frames_per_s']} frames a second came through"
    if figures["missed_turns"] or not figures["turns"]:
        return f"{figures['missed_turns']} missed turns"
    if figures["gaps_over_60ms"]:
        return f"{figures['gaps_over_60ms']} gaps over 60 ms, the longest {figures['longest_gap_ms']} ms"
    return ""


def measure(counts: Sequence[int], seconds: float, *, search: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="goassist-bench-") as folder:
        sounds.make(Path(folder))
        runs = Runs(seconds, Path(folder))
        return series(runs.of(SERVER), counts, search=search, broken=broken)
