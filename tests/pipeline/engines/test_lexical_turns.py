"""Whether somebody has finished, from words and voice."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ports import Pause
from pipeline.engines.lexical_turns import LexicalTurns, completeness, words_of
from pipeline.engines.prosody import FLAT, ending
from pipeline.engines.wording import marks
from tests.speech import FLITE_VOICES, spoken

RATE = 16_000
SILENCE = bytes(3200)


def finished(text):
    return completeness(marks(text), FLAT)


@pytest.mark.parametrize(
    "text",
    [
        "what are your opening hours on saturday",
        "how much does a checkup cost",
        "my cat has not eaten since yesterday",
        "i would like to make an appointment for tomorrow",
        "thank you very much",
        "yes please",
        "my number is five five five zero one four two",
    ],
)
def test_whole_sentences_and_answers_are_finished(text):
    assert finished(text) > 0.75


@pytest.mark.parametrize(
    "text",
    [
        "i'd like to make an appointment for",
        "what are your",
        "how much is",
        "she has been coughing and",
        "can you tell me if",
        "i would like to",
        "i need um",
        "my number is five five five",
        "should i",
        "can you",
    ],
)
def test_what_ends_in_a_word_that_wants_another_is_unfinished(text):
    assert finished(text) < 0.35


@pytest.mark.parametrize("text", ["we want to buy", "he ate something in", "i have a question about it"])
def test_what_may_or_may_not_go_on_is_in_between(text):
    assert finished("how much is a") < finished(text) < finished("i have a question about my lease")


@pytest.mark.parametrize(
    ("text", "open_end"),
    [("who should i talk to", "i want to talk to"), ("what should i do", "what should i do with the")],
)
def test_a_question_may_end_where_a_statement_may_not(text, open_end):
    assert finished(text) > finished(open_end)


def test_no_words_at_all_are_no_end():
    assert finished("") < 0.5


def judged(text, unended):
    return completeness(words_of(Pause(text, b"", 1000, 100, unended)), FLAT)


def test_an_end_that_is_heard_only_where_an_end_is_taken_for_granted_is_doubtful():
    sure, unsure = judged("i want to bring in mind", ""), judged("i want to bring in mind", "i want to bring in my")
    assert judged("i want to bring in my", "i want to bring in my") < unsure < sure - 0.2


@given(st.text(max_size=80))
def test_any_text_has_a_probability(text):
    assert 0 <= finished(text) <= 1


@given(st.binary(max_size=4000))
def test_any_sound_has_an_ending(pcm):
    assert all(math.isfinite(value) for value in ending(pcm))


def voice(start_hz, end_hz, seconds=0.8, amplitude=8000):
    """A buzz whose pitch glides, then silence."""
    hertz = np.linspace(start_hz, end_hz, int(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    buzz = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 8))
    return (buzz * amplitude).astype("<i2").tobytes() + SILENCE


def test_a_falling_pitch_falls_and_a_rising_one_rises():
    assert ending(voice(200, 120)).pitch < -2
    assert ending(voice(120, 200)).pitch > 2
    assert abs(ending(voice(150, 150)).pitch) < 0.5


def test_the_last_run_of_voice_is_as_long_as_it_is():
    assert ending(voice(150, 150, seconds=0.3)).stretch == pytest.approx(0.3, abs=0.05)


def test_silence_and_too_little_sound_tell_nothing():
    assert ending(b"") == FLAT
    assert ending(SILENCE * 10).pitch == 0.0


@pytest.mark.parametrize("voice_name", FLITE_VOICES)
async def test_in_a_pause_of_a_real_voice_words_decide(voice_name):
    engine = LexicalTurns()
    await engine.start()
    judged = [
        await engine.completeness(Pause(text.lower(), spoken(text, voice_name), 1500.0, 200.0))
        for text in ("I'd like to make an appointment for", "What are your opening hours")
    ]
    assert judged[0] < 0.35 < 0.7 < judged[1]
    await engine.close()
