"""Levels: the contract's table, one step at a time, no flapping, always back."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.degradation import (
    HOLD_S,
    RISE_S,
    Ladder,
    Level,
    Pressure,
    demanded,
    essential_tools_only,
    max_tokens,
    terse,
)
from pipeline.core.rolling import Rolling

CALM = Pressure(sessions=1, seats=100)
WORST = Pressure(ttfa_p95_ms=999.0, sessions=100, seats=100)

pressures = st.builds(
    Pressure,
    ttfa_p95_ms=st.none() | st.floats(0, 600),
    vram_share=st.none() | st.floats(0, 1.2),
    sessions=st.integers(0, 12),
    seats=st.integers(0, 12),
    error_share=st.floats(0, 1),
    animation_lag_ms=st.floats(0, 400),
    loop_lag_ms=st.floats(0, 200),
    frame_share=st.floats(0, 1),
)


@pytest.mark.parametrize(
    ("measured", "level"),
    [
        ({}, 0),
        ({"animation_lag_ms": 120.0}, 0),
        ({"animation_lag_ms": 121.0}, 1),
        ({"ttfa_p95_ms": 200.0}, 0),
        ({"ttfa_p95_ms": 201.0}, 2),
        ({"ttfa_p95_ms": 226.0}, 3),
        ({"ttfa_p95_ms": 241.0}, 4),
        ({"ttfa_p95_ms": 249.9}, 4),
        ({"ttfa_p95_ms": 250.0}, 5),
        ({"vram_share": 0.85}, 0),
        ({"vram_share": 0.86}, 1),
        ({"vram_share": 0.91}, 2),
        ({"vram_share": 0.94}, 3),
        ({"vram_share": 0.96}, 4),
        ({"vram_share": 0.99}, 5),
        ({"sessions": 97}, 0),
        ({"sessions": 98}, 2),
        ({"sessions": 99}, 4),
        ({"sessions": 100}, 5),
        ({"error_share": 0.05}, 0),
        ({"error_share": 0.051}, 5),
        ({"loop_lag_ms": 16.0}, 1),
        ({"loop_lag_ms": 41.0}, 4),
        ({"loop_lag_ms": 61.0}, 5),
        ({"frame_share": 0.975}, 2),
        ({"frame_share": 0.95}, 4),
    ],
)
def test_the_contracts_table(measured: dict[str, Any], level: int) -> None:
    assert demanded(replace(CALM, **measured))[0] == level


def test_a_worker_that_holds_nobody_is_not_full_however_few_its_seats() -> None:
    assert [demanded(Pressure(sessions=0, seats=seats))[0] for seats in (1, 2, 3)] == [0, 0, 0]
    assert demanded(Pressure(sessions=1, seats=1))[0] == 5


def test_seats_are_a_reason_of_their_own() -> None:
    assert demanded(WORST.without_seats()) == (Level.SESSION_REJECT, "time to first audio")
    assert demanded(Pressure(sessions=8, seats=8).without_seats()) == (Level.NORMAL, "")


def test_what_each_level_costs() -> None:
    assert [max_tokens(level) for level in Level] == [512, 512, 384, 256, 256, 256]
    assert [terse(level) for level in Level] == [False, False, True, True, True, True]
    assert [essential_tools_only(level) for level in Level] == [False, False, False, True, True, True]


# Over time --------------------------------------------------------------------------------------------------------


def test_the_worst_is_reached_step_by_step_and_left_step_by_step() -> None:
    ladder = Ladder()
    up = [ladder.step(WORST, float(t)) for t in range(8)]
    assert up == [0, 1, 2, 3, 4, 5, 5, 5]
    down = [ladder.step(CALM, 100.0 + t) for t in range(int(6 * HOLD_S))]
    assert sorted(down, reverse=True) == down
    assert set(down) == set(Level)


def test_a_moment_is_no_reason() -> None:
    ladder = Ladder()
    ladder.step(WORST, 0.0)
    ladder.step(CALM, RISE_S / 2)
    assert ladder.step(WORST, RISE_S) is Level.NORMAL


def test_the_reason_is_said() -> None:
    ladder = Ladder()
    for t in range(3):
        ladder.step(replace(CALM, loop_lag_ms=25.0), float(t))
    assert (ladder.level, ladder.why) == (Level.VERBOSITY_REDUCE, "event loop lag")


@given(st.lists(st.tuples(pressures, st.floats(0, 30)), max_size=60))
def test_no_level_is_ever_skipped(course: list[tuple[Pressure, float]]) -> None:
    ladder, now, before = Ladder(), 0.0, Level.NORMAL
    for pressure, later_s in course:
        now += later_s
        level = ladder.step(pressure, now)
        assert abs(level - before) <= 1
        before = level


@given(st.lists(pressures, max_size=20))
def test_whatever_happened_calm_brings_it_back_to_normal(course: list[Pressure]) -> None:
    ladder = Ladder()
    for t, pressure in enumerate(course):
        ladder.step(pressure, float(t))
    for t in range(int(HOLD_S) * 6):
        ladder.step(CALM, 1000.0 + t)
    assert ladder.level is Level.NORMAL


@given(
    st.sampled_from([("ttfa_p95_ms", 200.0), ("vram_share", 0.9), ("loop_lag_ms", 40.0), ("animation_lag_ms", 120.0)]),
    st.lists(st.floats(-0.08, 0.08), min_size=50, max_size=120),
)
def test_noise_around_a_threshold_does_not_make_it_flap(measure: tuple[str, float], noise: list[float]) -> None:
    """Within the band between entering and leaving it may go up, to where the noise's peak belongs, and stays."""
    name, limit = measure
    ladder = Ladder()
    levels = [
        ladder.step(replace(CALM, **{name: limit * max(0.95, 1 + share)}), float(t)) for t, share in enumerate(noise)
    ]
    assert sorted(levels) == levels


@given(pressures, st.data())
def test_a_worse_measure_never_asks_for_less(pressure: Pressure, data: st.DataObject) -> None:
    worse = {
        "ttfa_p95_ms": (pressure.ttfa_p95_ms or 0.0) + data.draw(st.floats(0, 300)),
        "vram_share": (pressure.vram_share or 0.0) + data.draw(st.floats(0, 1)),
        "sessions": pressure.sessions + data.draw(st.integers(0, 5)),
        "error_share": pressure.error_share + data.draw(st.floats(0, 1)),
        "animation_lag_ms": pressure.animation_lag_ms + data.draw(st.floats(0, 300)),
        "loop_lag_ms": pressure.loop_lag_ms + data.draw(st.floats(0, 100)),
        "frame_share": pressure.frame_share - data.draw(st.floats(0, 1)),
    }
    for name, value in worse.items():
        changed = replace(pressure, **{name: value})
        for ease in (False, True):
            assert demanded(changed, ease=ease)[0] >= demanded(pressure, ease=ease)[0], name


@given(pressures)
def test_what_keeps_a_level_is_never_more_than_what_enters_it(pressure: Pressure) -> None:
    assert demanded(pressure, ease=True)[0] >= demanded(pressure)[0]


# Rolling figures --------------------------------------------------------------------------------------------------


def test_a_single_slow_turn_is_no_figure_and_cannot_make_one() -> None:
    turns = Rolling(most=100, age_s=120.0)
    turns.add(5000.0, 0.0)
    assert turns.p95(0.0, least=20) is None
    for t in range(19):
        turns.add(50.0, float(t))
    assert turns.p95(20.0, least=20) == 50.0


def test_without_turns_the_figure_goes_away() -> None:
    turns = Rolling(most=100, age_s=120.0)
    for t in range(30):
        turns.add(400.0, float(t))
    assert turns.p95(30.0, least=20) == 400.0
    assert turns.p95(160.0, least=20) is None


@given(st.lists(st.floats(0, 1000), max_size=300))
def test_it_never_holds_more_than_its_bound(values: list[float]) -> None:
    rolling = Rolling(most=50, age_s=1e9)
    for t, value in enumerate(values):
        rolling.add(value, float(t))
    assert rolling.values(1e6) == values[-50:]
