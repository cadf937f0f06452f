"""The search for the most sessions, and what counts as broken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.inproc.series import FAR, broken, limit, series
from benchmarks.webrtc.series import broken as broken_on_the_wire

GOOD: dict[str, Any] = {
    "turns": 10,
    "missed_turns": 0,
    "gaps_over_60ms": 0,
    "longest_gap_ms": 0.0,
    "overhead_ms": {"p50": 3.0, "p95": 6.0, "max": 9.0},
    "frames_per_s": 50.0,
}


def carries(most: int) -> Any:
    """A side that holds so many sessions and not one more."""
    return lambda sessions: {**GOOD, "missed_turns": int(sessions > most)}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"missed_turns": 1}, "missed"),
        ({"turns": 0}, "missed"),
        ({"gaps_over_60ms": 2}, "gaps"),
        ({"overhead_ms": {"p50": 9.0, "p95": 100.1, "max": 200.0}}, "overhead"),
        ({"failed": "it died"}, "died"),
    ],
)
def test_what_breaks_a_side_is_said(change: dict[str, Any], word: str) -> None:
    assert word in broken({**GOOD, **change})


def test_what_holds_is_not_broken() -> None:
    assert broken(GOOD) == broken_on_the_wire(GOOD) == ""


@pytest.mark.parametrize("change", [{"frames_per_s": 49.0}, {"missed_turns": 1}, {"gaps_over_60ms": 1}, {"turns": 0}])
def test_a_core_that_is_full_is_broken(change: dict[str, Any]) -> None:
    assert broken_on_the_wire({**GOOD, **change})


@given(most=st.integers(10, 1000))
def test_the_limit_is_found_to_a_tenth_or_is_far(most: int) -> None:
    measured = {count: carries(most)(count) for count in (1, 10, 25, 50, 100)}
    found = limit(measured, carries(most))
    assert found["sessions"] <= most
    if found["broken_at"] is None:
        assert found["sessions"] == FAR <= most
    else:
        assert found["broken_at"] > most
        assert found["broken_at"] - found["sessions"] <= max(5, found["broken_at"] // 10) + 5


def test_a_side_that_holds_nothing_has_no_limit() -> None:
    assert limit({1: carries(0)(1)}, carries(0))["sessions"] == 0


def test_a_series_is_keyed_by_sessions_and_ends_with_the_limit() -> None:
    found = series(carries(60), (100, 10), search=True)
    assert [*found][-1] == "limit"
    assert {"10", "100"} <= set(found)
    assert found["limit"]["because"] == "1 missed turns"
