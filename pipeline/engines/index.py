"""An inverted index over one version's knowledge: which passage speaks of which ideas, and how rare each idea is."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from pipeline.contracts.dialogue import Passage
from pipeline.contracts.spec import AssistantSpec, DocumentPassage, Fact
from pipeline.core.words import informative_words, words
from pipeline.engines.concepts import concept, concepts

# How much it tells that a word stands in this place. A fact's topic was written to be found.
_TOPIC: Final = 1.0
_ANSWER: Final = 0.7
_SENTENCE: Final = 0.9
_TITLE: Final = 0.5
_NEIGHBOUR: Final = 0.3
"""Another sentence of the same passage."""
_ENOUGH: Final = 0.2
"""Information (sum of weights) at which a full match counts half: a question of one everyday word says little."""
_OWN_NAME: Final = 0.15
"""Rarity of a word of the business's name: "the clinic" is where one calls, not what one asks."""

SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")


class Index:
    """Immutable once built. Memory and time grow with the number of words of the version's knowledge."""

    def __init__(self, spec: AssistantSpec) -> None:
        self.passages = [*map(_of_fact, spec.facts), *map(_of_document, spec.passages)]
        self.contact = next((_of_fact(fact) for fact in spec.facts if "phone" in concepts(fact.topic)), None)
        """The fact to offer as a next step when nothing answers."""
        self.vocabulary = {word: concept(word) for word in _vocabulary(self.passages)}
        self._owner: list[int] = []
        self._places: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        users: Counter[str] = Counter()
        for number, passage in enumerate(self.passages):
            for unit in _units(passage):
                for idea, place in unit.items():
                    self._places[idea].append((len(self._owner), place))
                self._owner.append(number)
            users.update(set(concepts(f"{passage.title} {passage.text}")))
        total = len(self.passages)
        self._rarity = {idea: _rarity(total, used) for idea, used in users.items()}
        for idea in concepts(spec.tenant_name):
            self._rarity[idea] = min(self._rarity.get(idea, 1.0), _OWN_NAME)

    def scores(self, asked: dict[str, float]) -> dict[int, float]:
        """Passage number → share (0 to 1) of what is asked that the passage speaks of; absent: nothing."""
        wanted = {idea: mention * self._rarity.get(idea, 1.0) for idea, mention in asked.items()}
        found: defaultdict[int, float] = defaultdict(float)
        for idea, weight in wanted.items():
            for unit, place in self._places.get(idea, ()):
                found[unit] += weight * place
        total = sum(wanted.values())
        best: dict[int, float] = {}
        for unit, mass in found.items():
            score = mass / total * mass / (mass + _ENOUGH)
            best[self._owner[unit]] = max(best.get(self._owner[unit], 0.0), score)
        return best


def _rarity(total: int, used: int) -> float:
    """BM25's inverse document frequency (Robertson & Zaragoza 2009, eq. 3.3, with the 1 that keeps it positive), over
    its value for a word that is never used: 0 (everywhere) to 1 (nowhere)."""
    return math.log1p((total - used + 0.5) / (used + 0.5)) / math.log1p((total + 0.5) / 0.5)


def _of_fact(fact: Fact) -> Passage:
    return Passage(id=fact.id, title=fact.topic, text=fact.answer, score=0.0, tier="fact")


def _of_document(passage: DocumentPassage) -> Passage:
    return Passage(id=passage.id, title=passage.title, text=passage.text, score=0.0, tier="document")


def _units(passage: Passage) -> Iterator[dict[str, float]]:
    """What is matched as one: a fact, or a sentence of a document in its surroundings. Idea → weight of its place."""
    if passage.tier == "fact":
        topic = map(concept, words(passage.title))
        yield {**dict.fromkeys(concepts(passage.text), _ANSWER), **dict.fromkeys(topic, _TOPIC)}
        return
    around = {**dict.fromkeys(concepts(passage.text), _NEIGHBOUR), **dict.fromkeys(concepts(passage.title), _TITLE)}
    for sentence in SENTENCE_END.split(passage.text):
        yield {**around, **dict.fromkeys(concepts(sentence), _SENTENCE)}


def _vocabulary(passages: list[Passage]) -> set[str]:
    return {word for passage in passages for word in informative_words(f"{passage.title} {passage.text}")}
