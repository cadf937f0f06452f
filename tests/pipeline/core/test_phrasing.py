"""Phrases out of a stream of text."""

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.phrasing import LONGEST_CHARS, phrases


async def stream(pieces: list[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


async def cut(*pieces: str) -> list[str]:
    return [p async for p in phrases(stream(list(pieces)))]


async def test_sentences_become_phrases() -> None:
    assert await cut("We are open. ", "Until two! ", "Anything else?") == [
        "We are open.",
        "Until two!",
        "Anything else?",
    ]


async def test_titles_initials_and_decimals_do_not_end_a_sentence() -> None:
    assert await cut("Dr. Adams and J. Lee charge 9.50 dollars. Yes.") == [
        "Dr. Adams and J. Lee charge 9.50 dollars.",
        "Yes.",
    ]


async def test_the_first_phrase_may_end_at_a_comma() -> None:
    got = await cut("On Saturdays we are open from nine in the morning, and on Sundays we are closed, sadly.")
    assert got[0] == "On Saturdays we are open from nine in the morning,"
    assert len(got) == 2


async def test_a_word_cut_in_two_by_the_stream_stays_one() -> None:
    assert await cut("We are op", "en.", " Ye", "s.") == ["We are open.", "Yes."]


@given(st.lists(st.text(alphabet="ab .,!?\n;é", max_size=40), max_size=20))
async def test_nothing_is_lost_nothing_is_empty_nothing_is_endless(pieces: list[str]) -> None:
    got = [p async for p in phrases(stream(pieces))]
    assert "".join("".join(pieces).split()) == "".join("".join(got).split())
    assert all(p and p == p.strip() and len(p) <= LONGEST_CHARS + 40 for p in got)
