import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.followup import leans_on_earlier, question_in_context
from pipeline.core.words import content_words

HOURS = "What are your opening hours on Saturday?"


def subject(question: str, *previous: str) -> set[str]:
    return set(content_words(question_in_context(question, previous)))


def test_a_whole_question_stays_as_it_is():
    assert question_in_context("Where can I park my car?", [HOURS]) == "Where can I park my car?"


def test_a_first_question_stays_as_it_is_however_thin():
    assert question_in_context("And on Sunday?", []) == "And on Sunday?"


def test_and_on_sunday_asks_for_the_same_on_another_day():
    assert subject("and on Sunday?", HOURS) == {"sunday", "opening", "hours"}


def test_a_chain_of_follow_ups_reaches_back_to_its_subject():
    assert subject("and Monday", HOURS, "and on Sunday?") == {"monday", "opening", "hours"}


def test_how_much_is_that_borrows_what_that_is():
    assert {"cats", "neuter"} <= subject("How much is that for cats?", "Do you neuter dogs?")


def test_a_bare_question_word_leans_on_what_was_asked():
    assert "vaccination" in subject("how much?", "Does my kitten need a vaccination?")


def test_the_follow_up_outweighs_what_it_borrows():
    whole = question_in_context("what about parking", [HOURS]).split()
    assert whole.count("parking") == 2
    assert whole.count("opening") == 1


@pytest.mark.parametrize("question", ["Is there parking behind the house?", "okay", "thank you", "", "goodbye"])
def test_what_stands_alone_is_not_taken_for_a_follow_up(question):
    assert not leans_on_earlier(question)


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=5))
def test_a_question_is_never_lost(question, previous):
    assert question_in_context(question, previous).startswith(question)
