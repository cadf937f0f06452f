"""The verdict against the voice contract."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.soak.verdict import Figures, Line, Outcome, judge, overall

GOOD = Figures(
    ttfa_server_ms=[80.0] * 100,
    ttfa_client=[(i * 10.0, 100.0) for i in range(100)],
    barge_in_ms=[60.0] * 30,
    memory=[(i * 2.0, 400.0) for i in range(500)],
    failures=0,
    restarts=0,
    turns=130,
)


def line(figures: Figures, name: str) -> Line:
    return next(line for line in judge(figures) if line.name.startswith(name))


def test_a_good_run_passes_in_every_line():
    lines = judge(GOOD)
    assert {line.outcome for line in lines} == {Outcome.PASS}
    assert overall(lines) is Outcome.PASS


def test_one_failure_fails_the_run():
    assert overall(judge(replace(GOOD, failures=1))) is Outcome.FAIL


def test_a_restart_of_the_server_fails_the_run():
    assert line(replace(GOOD, restarts=1), "Server restarts").outcome is Outcome.FAIL


def test_slow_first_audio_fails_at_the_limit_and_not_below():
    assert line(replace(GOOD, ttfa_server_ms=[250.0] * 20), "TTFA p95, server").outcome is Outcome.PASS
    assert line(replace(GOOD, ttfa_server_ms=[250.1] * 20), "TTFA p95, server").outcome is Outcome.FAIL


def test_a_slow_barge_in_fails():
    assert line(replace(GOOD, barge_in_ms=[151.0] * 5), "Barge-in").outcome is Outcome.FAIL


def test_few_turns_prove_nothing_even_when_they_are_good():
    few = replace(GOOD, ttfa_client=GOOD.ttfa_client[:3])
    assert line(few, "TTFA p95, at the caller").outcome is Outcome.UNKNOWN
    assert overall(judge(few)) is Outcome.UNKNOWN


def test_a_run_without_any_turn_is_not_free_of_failures_but_unknown():
    nothing = Figures([], [], [], [], failures=0, restarts=0, turns=0)
    assert {line.outcome for line in judge(nothing)} == {Outcome.UNKNOWN}


def test_a_short_run_is_not_judged_by_its_trends():
    short = replace(GOOD, memory=[(i * 2.0, 400.0 + i) for i in range(60)], ttfa_client=GOOD.ttfa_client[:20])
    assert line(short, "Memory creep").outcome is Outcome.UNKNOWN
    assert "10 min" in line(short, "Memory creep").note
    assert overall(judge(short)) is Outcome.PASS


def test_memory_that_grows_all_the_time_fails_a_long_run():
    creeping = replace(GOOD, memory=[(i * 2.0, 400.0 + i * 0.1) for i in range(500)])
    assert line(creeping, "Memory creep").outcome is Outcome.FAIL


def test_latency_that_grows_fails_although_it_is_below_the_limit():
    drifting = replace(GOOD, ttfa_client=[(i * 10.0, 100.0 + i * 0.5) for i in range(100)])
    assert line(drifting, "Latency drift").outcome is Outcome.FAIL


def test_one_bad_stretch_fails_a_run_that_is_good_on_the_whole():
    stretch = [(i * 10.0, 400.0 if 40 <= i < 44 else 100.0) for i in range(200)]
    figures = replace(GOOD, ttfa_client=stretch)
    assert line(figures, "TTFA p95, at the caller").outcome is Outcome.PASS
    assert line(figures, "TTFA p95 throughout").outcome is Outcome.FAIL


@given(
    st.lists(st.floats(0, 1000), max_size=60),
    st.lists(st.floats(0, 1000), max_size=60),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_a_verdict_never_passes_with_a_failed_line(server, barge_ins, failures, restarts):
    figures = replace(GOOD, ttfa_server_ms=server, barge_in_ms=barge_ins, failures=failures, restarts=restarts)
    lines = judge(figures)
    failed = any(line.outcome is Outcome.FAIL for line in lines)
    assert (overall(lines) is Outcome.FAIL) == failed
    assert (failures > 0 or restarts > 0) <= failed
