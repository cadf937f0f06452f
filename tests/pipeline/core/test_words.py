from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.words import FUNCTION_WORDS, content_words, informative_words, words


def test_words_are_lower_case_and_keep_their_apostrophes():
    assert words("What's YOUR number, Dr. Brook’s?") == ["what's", "your", "number", "dr", "brook's"]


def test_a_hyphen_joins_and_a_colon_parts():
    assert words("check-up at 8:30") == ["checkup", "at", "8", "30"]


def test_a_will_is_a_thing_and_will_is_none():
    assert informative_words("how much is a will") == ["will"]
    assert informative_words("will you come") == []


def test_content_words_come_once_and_in_order():
    assert content_words("The dog and the cat and the dog") == ["dog", "cat"]


@given(st.text())
def test_no_content_word_is_a_function_word_but_the_will(text):
    assert set(content_words(text)) & FUNCTION_WORDS <= {"will"}
