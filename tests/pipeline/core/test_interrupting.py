"""Who has the floor, from words and time alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.interrupting import BACKCHANNELS, Verdict, acknowledgement, command, verdict

ROW = st.lists(st.sampled_from(sorted(BACKCHANNELS)), min_size=1, max_size=4).map(" ".join)


@pytest.mark.parametrize(("text", "name"), [
    ("Stop.", "stop"), ("stop, stop!", "stop"), ("please stop", "stop"), ("Okay, that's enough, thank you", "stop"),
    ("hold on", "wait"), ("Hang on, please", "wait"), ("wait a moment", "wait"), ("cancel", "stop"),
    ("hold on are you open on sunday", ""), ("how do I cancel my appointment", ""), ("okay", ""), ("", ""),
    ("don't stop", ""), ("stop by tomorrow", ""),
])  # fmt: skip
def test_a_command_is_one_only_when_it_is_all_that_is_said(text: str, name: str) -> None:
    assert command(text) == name


def test_commands_that_stop_nothing_are_acknowledged() -> None:
    assert acknowledgement("stop") == "Okay." and acknowledgement("hold on") == "Take your time."
    assert acknowledgement("when are you open") == ""


@given(ROW, st.floats(0, 990))
def test_backchannels_never_take_the_floor_and_give_it_up_when_they_are_over(text: str, speech_ms: float) -> None:
    if not command(text):
        assert verdict(text, speech_ms, over=False) is Verdict.OPEN
        assert verdict(text, speech_ms, over=True) is Verdict.KEPT


@given(st.text(max_size=40), st.floats(1000, 1e5), st.booleans())
def test_a_second_of_speech_takes_it_whatever_is_said(text: str, speech_ms: float, over: bool) -> None:
    assert verdict(text, speech_ms, over=over) is Verdict.TAKEN


@pytest.mark.parametrize(("text", "speech_ms", "over", "expected"), [
    ("", 100, False, Verdict.OPEN), ("", 100, True, Verdict.KEPT), ("", 500, False, Verdict.TAKEN),
    ("what", 40, False, Verdict.TAKEN), ("okay but", 40, True, Verdict.TAKEN), ("Mm-hm.", 600, True, Verdict.KEPT),
    ("stop", 40, False, Verdict.TAKEN),
])  # fmt: skip
def test_words_take_it_and_silence_gives_it_back(text: str, speech_ms: float, over: bool, expected: Verdict) -> None:
    assert verdict(text, speech_ms, over=over) is expected


@given(st.text(max_size=60), st.floats(0, 2000))
def test_once_they_have_fallen_silent_it_is_decided(text: str, speech_ms: float) -> None:
    assert verdict(text, speech_ms, over=True) is not Verdict.OPEN
