import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.capture import DRIFT_MS, WINDOW_FRAMES, CaptureClock


def test_the_first_sound_was_captured_20_ms_before_it_came():
    assert CaptureClock().stamp(0, 960, 500.0) == 480.0


def test_time_is_counted_in_samples_not_in_arrivals():
    clock, jitter = CaptureClock(), random.Random(1)
    clock.stamp(0, 960, 1000.0)
    for n in range(1, 200):
        t = clock.stamp(n * 960, 960, 1000.0 + n * 20 + jitter.random() * 15)
        assert t == pytest.approx(980.0 + n * 20)


def test_time_goes_on_through_a_loss():
    clock = CaptureClock()
    clock.stamp(0, 960, 1000.0)
    assert clock.stamp(3 * 960, 960, 1060.0) == 1040.0
    assert clock.time(2 * 960) == 1020.0


@pytest.mark.parametrize("pts", [-48_000, 10_000_000])
def test_a_jump_of_the_senders_clock_anchors_anew(pts):
    clock = CaptureClock()
    clock.stamp(0, 960, 1000.0)
    assert clock.stamp(pts, 960, 5000.0) == 4980.0


def test_a_sender_whose_clock_runs_fast_never_speaks_from_the_future():
    clock = CaptureClock()
    for n in range(3000):
        now = 1000.0 + n * 19.9
        t = clock.stamp(n * 960, 960, now)
        assert t + 20 <= now + 1e-6


def test_a_sender_whose_clock_runs_slow_does_not_fall_behind_for_ever():
    clock = CaptureClock()
    for n in range(20 * WINDOW_FRAMES):
        now = 1000.0 + n * 20.02
        t = clock.stamp(n * 960, 960, now)
    assert now - (t + 20) < DRIFT_MS + WINDOW_FRAMES * 0.02 + 1


@given(
    st.lists(
        st.tuples(st.integers(-(2**31), 2**31), st.sampled_from([120, 480, 960, 2880]), st.floats(0, 1e7)), max_size=60
    )
)
def test_no_sequence_of_timestamps_dates_sound_into_the_future(frames):
    clock = CaptureClock()
    for pts, samples, now in frames:
        assert clock.stamp(pts, samples, now) <= now + 1e-3
