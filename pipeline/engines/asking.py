"""What a question asks for: its informative words as ideas, each with the weight of its mention."""

from collections.abc import Container, Iterator
from typing import Final

from pipeline.core.words import informative_words, words
from pipeline.engines.concepts import concept
from pipeline.engines.spelling import nearest

_HINTS: Final = {"where": "address", "when": "open", "who": "staff"}
"""Question words that hint at an idea without naming it."""
_LIGHT_WORDS: Final = frozenset(
    """accept afternoon bit brother building daughter day days deal deals evening everyone father friend front
    guy happen happens husband keep leave leaving man mom month months morning mother neighbour offer office
    people person place provide sister someone son start thinking use using week weeks wife woman work works
    year years yesterday""".split()
)
"""Words that often surround what is asked and seldom are it."""
_LIGHT: Final = 0.4
_MISSPELT: Final = 0.8
_MOST: Final = 2.0
"""A word said twice counts twice, and no more."""
_NO_VOCABULARY: Final[dict[str, str]] = {}


def asked(question: str, known: dict[str, str] = _NO_VOCABULARY) -> dict[str, float]:
    """Ideas asked for → weight of the mention: 1, less where it is light, hinted at or misspelt, more where repeated.

    `known` is a vocabulary, word → idea. With it "check up" is read as "checkup", and a word it does not know as the
    one that differs by a single slip, if there is one.
    """
    ideas: dict[str, float] = {}
    for idea, weight in _mentions(question, known):
        ideas[idea] = min(ideas.get(idea, 0.0) + weight, _MOST)
    return ideas


def _mentions(question: str, known: dict[str, str]) -> Iterator[tuple[str, float]]:
    spoken = _joined(words(question), known)
    yield from ((_HINTS[word], _LIGHT) for word in spoken if word in _HINTS)
    if _asks_for_a_price(spoken):
        yield "price", 1.0
    for word in informative_words(" ".join(spoken)):
        yield _mention(word, known)


def _asks_for_a_price(spoken: list[str]) -> bool:
    """ "How much is ...", but not "how much time ..."."""
    pairs = zip(spoken, spoken[1:], [*spoken[2:], ""], strict=False)
    return any((one, two) == ("how", "much") and three not in {"time", "longer"} for one, two, three in pairs)


def _mention(word: str, known: dict[str, str]) -> tuple[str, float]:
    if word in _LIGHT_WORDS:
        return concept(word), _LIGHT
    idea = concept(word)
    if not known or word in known or idea in known.values():
        return idea, 1.0
    meant = nearest(word, known)
    return (known[meant], _MISSPELT) if meant else (idea, 1.0)


def _joined(spoken: list[str], known: Container[str]) -> list[str]:
    """Neighbours that the vocabulary writes as one word become that word."""
    merged: list[str] = []
    for word in spoken:
        if merged and merged[-1] + word in known:
            merged[-1] += word
        else:
            merged.append(word)
    return merged
