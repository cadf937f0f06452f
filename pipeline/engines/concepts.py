"""From a word to what it means: its stem, or the idea that it shares with other words ("shut" and "hours": opening).

Domain-neutral English: what only one trade would say belongs into the topics of a tenant's facts. Stems are Snowball's
English stemmer's (Porter's second, https://snowballstem.org/algorithms/english/stemmer.html).
"""

from functools import lru_cache
from typing import Final

import snowballstemmer

from pipeline.core.words import informative_words

_SAME_IDEA: Final = (
    "open opening hours hour close closing closed shut",
    "price prices priced cost fee charge rate tariff expensive cheap pricing",
    "address located location situated whereabouts",
    "phone telephone call number ring dial contact reach",
    "appointment booking book schedule slot reserve reservation",
    "cancel cancellation reschedule postpone move change rearrange",
    "staff team employees personnel people",
    "urgent urgency emergency immediately",
    "pay payment paying paid",
    "parking park parked",
    "instalments installments",
    "buy purchase bought buying",
    "child children kid",
    "lawyer attorney solicitor",
    "vet veterinarian doctor dr",
    "dismiss dismissal dismissed fired sacked",
    "medicine medication drug pills",
    "home house flat apartment",
    "operation surgery surgical",
    "feed food eat eating eaten fed ate diet",
    "bring carry brought",
    "begin start beginning began",
    "collect pick collection",
    "document papers paperwork",
    "speak spoken talk",
    "kennel boarding board",
    "teeth tooth dental",
    "die died death dead dying",
    "abroad travel travelling traveling trip foreign overseas",
    "worm worming wormer dewormed",
    "vaccine vaccination vaccinate shot jab inoculation",
    "exam examination examine checkup",
    "marriage wed married marry wedding",
    "confidential confidentiality private privacy secret",
)

_stem_word: Final = snowballstemmer.stemmer("english").stemWord


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    return _stem_word(word.removesuffix("'s"))


_IDEA_OF_STEM: Final = {stem(word): group.split()[0] for group in _SAME_IDEA for word in group.split()}


def concept(word: str) -> str:
    """The name of the word's idea: equal for words that mean the same."""
    root = stem(word)
    return _IDEA_OF_STEM.get(root, root)


def concepts(text: str) -> list[str]:
    """The ideas of a text's informative words, in order, repetitions kept."""
    return [concept(word) for word in informative_words(text)]
