"""The callers' plan: the same seed, the same conversation."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from pipeline.soak.plan import INTERRUPTED_SHARE, REST_LIMIT_S, exchanges, rest_s

LINES, INTERRUPTIONS = ["a", "b", "c"], ["x", "y"]


def first(count: int, seed: int = 7, caller: int = 0):
    return list(islice(exchanges(seed, caller, LINES, INTERRUPTIONS), count))


def test_the_same_seed_and_caller_say_the_same():
    assert first(50) == first(50)


def test_callers_of_one_run_say_different_things():
    assert first(20, caller=0) != first(20, caller=1)


@given(st.integers(), st.integers(0, 500))
def test_every_third_exchange_is_interrupted(seed: int, caller: int):
    steps = first(INTERRUPTED_SHARE * 5, seed, caller)
    groups = [steps[i : i + INTERRUPTED_SHARE] for i in range(0, len(steps), INTERRUPTED_SHARE)]
    assert all(sum(step.interruption is not None for step in group) == 1 for group in groups)


@given(st.floats(0.1, 60), st.floats(0.05, 1.0), st.floats(0.8, 1.2))
def test_a_rest_keeps_the_duty_cycle_and_stays_below_every_idle_limit(active_s: float, duty: float, factor: float):
    rest = rest_s(active_s, duty, factor)
    assert 0 <= rest <= REST_LIMIT_S < 60
    if rest < REST_LIMIT_S:
        share = active_s / (active_s + rest / factor)
        assert abs(share - duty) < 1e-6


def test_a_caller_with_full_duty_never_rests():
    assert rest_s(8.0, 1.0, 1.2) == 0.0
