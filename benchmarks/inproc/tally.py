"""What was measured over all callers, and percentiles of it."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


def _samples() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Tally:
    """Arrays of ms, so that measuring costs the collector nothing. Counted only while `open`."""

    open: bool = False
    overhead_ms: "array[float]" = field(default_factory=_samples)
    """First frame out, after what the engines still needed when the turn was decided. See docs/benchmarks.md."""
    ttfa_ms: "array[float]" = field(default_factory=_samples)
    """Turn decision → first frame out, engines included."""
    gap_ms: "array[float]" = field(default_factory=_samples)
    """True end of speech → first frame out."""
    vad_ms: "array[float]" = field(default_factory=_samples)
    """True end of speech → turn decision."""
    barge_in_ms: "array[float]" = field(default_factory=_samples)
    """True start of speech over a reply → its last frame out."""
    backchannel_pause_ms: "array[float]" = field(default_factory=_samples)
    """The longest silence that a backchannel made in a reply."""
    speech_s: float = 0.0
    """All that the callers said, from the first to the last audible piece of each utterance."""
    longest_gap_ms: float = 0.0
    gaps_over_60ms: int = 0
    turns: int = 0
    missed_turns: int = 0
    cut_ins: int = 0
    backchannels: int = 0
    backchannels_that_stopped_the_reply: int = 0


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Nearest rank: with few values it errs to the strict side. None without values."""
    return {"p50": percentile(values, 0.50), "p95": percentile(values, 0.95), "max": percentile(values, 1.0)}


def percentile(values: Sequence[float], share: float) -> float | None:
    if not values:
        return None
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 2)


SPREADS = ("overhead_ms", "ttfa_ms", "gap_ms", "vad_ms", "barge_in_ms", "backchannel_pause_ms")
COUNTS = (
    "turns", "missed_turns", "cut_ins", "gaps_over_60ms", "backchannels", "backchannels_that_stopped_the_reply",
)  # fmt: skip


def summary(tally: Tally) -> dict[str, Any]:
    figures: dict[str, Any] = {name: spread(getattr(tally, name)) for name in SPREADS}
    counts = {name: getattr(tally, name) for name in COUNTS}
    return {**figures, **counts, "longest_gap_ms": round(tally.longest_gap_ms, 1)}
