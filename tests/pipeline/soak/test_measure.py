"""Arithmetic on what was heard."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.soak.measure import Ear, FarClock, levels, percentile, trend

PACKET = 960
numbers = st.floats(-1e6, 1e6)


def tone(samples: int = PACKET, loudness: int = 8000) -> np.ndarray:
    return (loudness * np.sin(2 * np.pi * 440 * np.arange(samples) / 48_000)).astype(np.int16)


SILENCE = np.zeros(PACKET, np.int16)


@given(st.lists(numbers, min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_the_share_is_not_above(values: list[float], share: float):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_the_percentile_of_few_values_errs_to_the_strict_side():
    assert percentile([10.0, 20.0, 30.0], 0.95) == 30.0


def test_there_is_no_percentile_of_nothing():
    assert percentile([], 0.5) is None


@given(st.floats(-100, 100), st.floats(-1e3, 1e3), st.integers(2, 50))
def test_a_trend_finds_the_line_that_made_the_points(per_s: float, start: float, count: int):
    line = trend([(float(i), start + per_s * i) for i in range(count)])
    assert line is not None
    assert line.per_s == pytest.approx(per_s, abs=1e-6)
    assert line.start == pytest.approx(start, abs=1e-4)
    assert line.rise == pytest.approx(per_s * (count - 1), abs=1e-4)


def test_points_at_one_time_have_no_trend():
    assert trend([(1.0, 2.0), (1.0, 5.0)]) is None
    assert trend([(1.0, 2.0)]) is None


def test_levels_tell_silence_from_a_tone():
    assert max(levels(SILENCE)) == 0.0
    assert min(levels(tone())) > 5000


def test_an_ear_hears_where_sound_begins_inside_a_packet():
    ear = Ear()
    late = np.concatenate([SILENCE[:480], tone(480)])
    ear.hear(SILENCE, 10.00)
    ear.hear(late, 10.02)
    assert ear.first_audible_s == pytest.approx(10.03)


def test_a_click_is_no_onset():
    ear = Ear()
    click = SILENCE.copy()
    click[240:480] = tone(240)
    ear.hear(click, 1.0)
    assert ear.first_audible_s is None


def test_packets_that_come_all_at_once_sound_one_after_the_other():
    ear = Ear()
    for _ in range(5):
        ear.hear(tone(), 2.0)
    assert ear.first_audible_s == pytest.approx(2.0)
    assert ear.last_audible_s == pytest.approx(2.1)


def test_silence_is_where_a_player_catches_up():
    ear = Ear()
    for _ in range(5):
        ear.hear(tone(), 2.0)
    ear.hear(SILENCE, 2.04)
    ear.arm()
    ear.hear(tone(), 2.06)
    assert ear.first_audible_s == pytest.approx(2.06)


def test_an_armed_ear_waits_for_the_next_sound():
    ear = Ear()
    ear.hear(tone(), 1.0)
    ear.arm()
    assert ear.first_audible_s is None
    ear.hear(SILENCE, 1.02)
    ear.hear(tone(), 1.5)
    assert ear.first_audible_s == pytest.approx(1.5)


def test_an_ear_that_heard_nothing_has_no_last_sound():
    assert Ear().last_audible_s == -math.inf


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_the_last_sound_ends_with_the_last_loud_packet(loud: list[bool]):
    ear = Ear()
    for index, is_loud in enumerate(loud):
        ear.hear(tone() if is_loud else SILENCE, index * 0.02)
    expected = max((i for i, is_loud in enumerate(loud) if is_loud), default=None)
    if expected is None:
        assert ear.last_audible_s == -math.inf
    else:
        assert ear.last_audible_s == pytest.approx((expected + 1) * 0.02)


@given(st.floats(-1000, 1000), st.lists(st.floats(0, 0.5), min_size=1, max_size=60))
def test_the_far_clock_is_late_by_the_fastest_beat_only(difference_s: float, delays_s: list[float]):
    clock = FarClock()
    for second, delay in enumerate(delays_s):
        clock.beat(second * 1000.0, second + difference_s + delay)
    assert clock.local_s(5000.0) == pytest.approx(5 + difference_s + min(delays_s))


def test_a_far_clock_without_beats_knows_nothing():
    assert FarClock().local_s(1.0) is None
