"""How much silence ends a turn."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.numbers import PAUSE_MS
from pipeline.contracts.spec import TurnSettings
from pipeline.core.patience import (
    BRISK,
    CALM,
    LATE_MS,
    MURMUR_MS,
    STIR_LIMIT_MS,
    STIR_MEMORY_MS,
    is_over,
    loudness,
    murmurs,
    needed_ms,
    stirs,
)

ENDPOINT_MS = TurnSettings().endpoint_ms
COMPLETENESS = st.none() | st.floats(0, 1)


@given(COMPLETENESS, st.floats(100, 3000))
def test_calm_never_ends_a_turn_within_a_pause_that_the_contract_allows(completeness, endpoint_ms):
    assert needed_ms(CALM, completeness, endpoint_ms) >= max(PAUSE_MS, endpoint_ms)


@given(COMPLETENESS)
def test_brisk_never_waits_longer_than_a_window_more_than_the_assistants_limit(completeness):
    assert needed_ms(BRISK, completeness, ENDPOINT_MS) <= ENDPOINT_MS + LATE_MS
    assert needed_ms(BRISK, completeness, 300) <= 300 + LATE_MS


@pytest.mark.parametrize("patience", [CALM, BRISK])
@given(st.floats(0, 1), st.floats(0, 1))
def test_what_sounds_more_complete_is_never_waited_for_longer(patience, one, other):
    low, high = sorted((one, other))
    assert needed_ms(patience, low, ENDPOINT_MS) >= needed_ms(patience, high, ENDPOINT_MS)


def test_brisk_answers_what_is_surely_complete_in_half_the_time_and_waits_for_what_is_surely_not():
    assert needed_ms(BRISK, 1.0, ENDPOINT_MS) == ENDPOINT_MS / 2
    assert needed_ms(BRISK, 0.0, ENDPOINT_MS) == ENDPOINT_MS + LATE_MS
    assert needed_ms(BRISK, 1.0, ENDPOINT_MS) < needed_ms(BRISK, 0.5, ENDPOINT_MS) < ENDPOINT_MS


def test_while_nobody_has_judged_the_words_silence_alone_decides():
    assert needed_ms(BRISK, None, ENDPOINT_MS) == ENDPOINT_MS + LATE_MS


def test_something_that_stirs_holds_the_turn_open_but_not_for_ever():
    assert is_over(320, 320, since_stir_ms=math.inf, murmur=False)
    assert is_over(320, 320, since_stir_ms=STIR_MEMORY_MS, murmur=False)
    assert not is_over(320, 320, since_stir_ms=STIR_MEMORY_MS - 32, murmur=False)
    assert not is_over(320, 320, since_stir_ms=0, murmur=False)
    assert is_over(320, 320 + STIR_LIMIT_MS, since_stir_ms=0, murmur=True)


def test_a_murmur_is_waited_for_one_window_more():
    assert not is_over(320, 320, since_stir_ms=math.inf, murmur=True)
    assert is_over(320, 320 + MURMUR_MS, since_stir_ms=math.inf, murmur=True)
    assert murmurs(loudness=190, quietest=90) and not murmurs(loudness=170, quietest=90)
    assert not murmurs(loudness=0, quietest=0)


def test_an_even_noise_does_not_stir_and_a_consonant_or_a_likely_voice_does():
    assert not stirs(probability=0.01, loudness=150, quietest=90)
    assert stirs(probability=0.01, loudness=400, quietest=90)
    assert stirs(probability=0.2, loudness=90, quietest=90)


def test_digital_silence_does_not_stir_and_sound_after_it_does():
    assert not stirs(probability=0.0, loudness=0, quietest=0)
    assert stirs(probability=0.0, loudness=100, quietest=0)


@given(st.lists(st.integers(-32768, 32767)))
def test_loudness_is_the_largest_sample_either_way(samples):
    assert loudness(array("h", samples).tobytes()) == max(map(abs, samples), default=0)


@given(st.binary())
def test_loudness_takes_any_bytes(pcm):
    assert math.isfinite(loudness(pcm))
