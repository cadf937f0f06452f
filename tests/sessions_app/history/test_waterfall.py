import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.history.waterfall import PARTS, bars, drawn, marks, scale_ms

NAMES = ["endpoint_ms", "ttfa_ms", *(name for name, _, _ in PARTS)]
TIMINGS = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 20_000))


def test_parts_end_where_the_reply_is_heard_and_what_began_ahead_lies_beside_the_silence():
    row = {
        bar.kind: (bar.start_ms, bar.ms)
        for bar in bars({"endpoint_ms": 700.0, "asr_ms": 50.0, "llm_first_token_ms": 120.0, "ttfa_ms": 100.0})
    }
    assert row == {"silence": (0, 700), "asr": (630, 50), "llm": (680, 120), "ttfa": (700, 100)}


def test_a_turn_that_nobody_heard_has_no_bars():
    assert bars({"endpoint_ms": 700.0, "asr_ms": 5.0}) == []


@pytest.mark.parametrize(("longest", "scale"), [(0, 100), (90, 100), (880, 1000), (1600, 1600), (5200, 6000)])
def test_the_scale_ends_at_a_mark(longest, scale):
    row = bars({"ttfa_ms": float(longest)})
    assert scale_ms([row]) == scale
    assert marks(scale)[0] == 0
    assert marks(scale)[-1] == 1000


@given(st.lists(TIMINGS, max_size=5))
def test_every_bar_lies_on_the_page(turns):
    rows = [bars(timings) for timings in turns]
    scale = scale_ms(rows)
    for row in rows:
        for bar in drawn(row, scale):
            assert 0 <= bar["x"] <= 1000
            assert bar["x"] + bar["width"] <= 1003  # the thinnest is still to be seen
