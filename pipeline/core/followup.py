"""A question that leans on the one before it ("and on Sunday?"), made whole for retrieval. Pure functions; English."""

import re
from collections.abc import Sequence
from typing import Final

from pipeline.core.words import content_words, words

_OPENERS: Final = re.compile(r"^(?:okay |ok |so |well |oh |yes |no )*(?:and|what about|how about|or|what if|but)\b")
_POINTERS: Final = frozenset(
    {"it", "that", "this", "those", "these", "they", "them", "he", "him", "she", "her", "one", "there"}
)
_EMPTY_POINTERS: Final = frozenset({"it", "one", "there"})
""" "What time is it", "is anyone there": they point at nothing."""
_ASKING: Final = frozenset({"how", "why", "when", "where", "who", "which", "cost", "costs", "price"})
_DAYS: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays"
    " sundays weekend weekends weekday weekdays".split()
)
_LOOK_BACK: Final = 3
"""How many questions a chain of follow-ups may lean on."""


def question_in_context(question: str, previous_questions: Sequence[str]) -> str:
    """The text to search for: `question` itself, or, if it is too thin alone, with the earlier questions' subject.

    `previous_questions`: what the visitor asked before, oldest first. The follow-up's own words come twice, so that
    they outweigh the words it borrows: "and the parking?" after the opening hours is about parking.
    """
    told = [earlier for earlier in previous_questions if content_words(earlier)][-_LOOK_BACK:]
    if not told or not leans_on_earlier(question):
        return question
    earlier = question_in_context(told[-1], told[:-1])
    own = content_words(question)
    borrowed = [word for word in content_words(earlier) if word not in own and not _replaced(word, own)]
    return " ".join([question, *own, *borrowed])


def leans_on_earlier(question: str) -> bool:
    """Whether the question cannot be understood alone: it opens with "and", points at something, or names nothing."""
    spoken = words(question)
    subject = [word for word in content_words(question) if word not in _ASKING]
    if _OPENERS.match(" ".join(spoken)):
        return len(subject) <= 3
    if not subject:
        return not (_ASKING | _POINTERS - _EMPTY_POINTERS).isdisjoint(spoken)
    return len(subject) == 1 and bool(_POINTERS.intersection(spoken))


def _replaced(word: str, own: Sequence[str]) -> bool:
    """A day named anew takes the place of the day named before."""
    return word in _DAYS and not _DAYS.isdisjoint(own)
