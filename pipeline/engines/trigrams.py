"""Trigram models with back-off as arrays: made from sentences, cut down, mixed.

Mixture: P(w|h) = share * P_own(w|h) + (1 - share) * P_general(w|h), linear interpolation (Jelinek and Mercer, 1980).
Own models are smoothed after Witten and Bell (1991). A mixture's explicit n-grams are the union of both models'; its
back-off weights are what makes each context sum to one.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.sphinx_trie import Floats, GeneralModel, Ints

START, END = "<s>", "</s>"
_FLOOR: Final = 1e-9
"""Probability of a word that a model does not know, so that logarithms exist."""
_LEFT: Final = 1e-4
"""The least share of a context that is left to back-off."""

Sentences = Iterable[tuple[tuple[str, ...], float]]
"""Words of a sentence, and how often it counts."""


@dataclass(frozen=True, slots=True)
class Trigrams:
    """N-grams stand under sorted keys: h*V+w for bigrams, (g*V+h)*V+w for trigrams, V = len(words)."""

    words: list[str]
    p1: Floats
    b1: Floats
    keys2: Ints
    p2: Floats
    b2: Floats
    keys3: Ints
    p3: Floats

    def bigram(self, keys: Ints) -> Floats:
        """P(w|h), backed off where it is not explicit."""
        size = len(self.words)
        found, p = _look_up(keys, self.keys2, self.p2)
        return np.where(found, p, self.b1[keys // size] * self.p1[keys % size])

    def trigram(self, keys: Ints) -> Floats:
        """P(w|g h), backed off where it is not explicit."""
        size = len(self.words)
        found, p = _look_up(keys, self.keys3, self.p3)
        known, b = _look_up(keys // size, self.keys2, self.b2)
        return np.where(found, p, np.where(known, b, 1.0) * self.bigram(keys % (size * size)))

    def widened(self, words: list[str]) -> "Trigrams":
        """The same model over more words; `words` begins with this model's own."""
        old, new = len(self.words), len(words)
        more = new - old
        return Trigrams(
            words=words,
            p1=np.concatenate([self.p1, np.full(more, _FLOOR)]),
            b1=np.concatenate([self.b1, np.ones(more)]),
            keys2=_rekeyed(self.keys2, old, new),
            p2=self.p2,
            b2=self.b2,
            keys3=_rekeyed(self.keys3 // old, old, new) * new + self.keys3 % old,
            p3=self.p3,
        )


def from_sentences(sentences: Sentences, words: list[str]) -> Trigrams:
    """P(w|h) = (c(hw) + t(h) P(w|h')) / (c(h) + t(h)), where t(h) different words follow h.

    Raises KeyError when a word is not among `words`.
    """
    size = len(words)
    (k1, c1), (k2, c2), (k3, c3) = _counts(sentences, {word: i for i, word in enumerate(words)})
    p1 = np.full(size, _FLOOR)
    p1[k1] = c1 / c1.sum()
    p2, contexts, left = _witten_bell(k2 // size, c2, p1[k2 % size])
    b1 = np.ones(size)
    b1[contexts] = left
    p3, contexts, left = _witten_bell(k3 // size, c3, p2[np.searchsorted(k2, k3 % (size * size))])
    b2 = np.ones(len(k2))
    b2[np.searchsorted(k2, contexts)] = left
    return Trigrams(words, p1, b1, k2, p2, b2, k3, p3)


def cut_down(source: GeneralModel, words: list[str], bigrams: int, trigrams: int) -> Trigrams:
    """A large model over fewer words, with so many n-grams as say most beyond what back-off says anyway.

    An n-gram's worth is its joint probability times the logarithm of what it changes (Seymore and Rosenfeld, 1996).
    """
    index = {word: i for i, word in enumerate(words)}
    new = np.array([index.get(word, -1) for word in source.words])
    kept = new >= 0
    p1, b1 = np.full(len(words), _FLOOR), np.ones(len(words))
    p1[new[kept]], b1[new[kept]] = source.p1[kept], source.b1[kept]
    joint = source.p1[source.h2] * source.p2
    worth2 = joint * np.abs(np.log(source.p2 / (source.b1[source.h2] * source.p1[source.w2])))
    known2 = kept[source.h2] & kept[source.w2]
    best2 = _best(np.where(known2, worth2, 0.0), bigrams)
    has_context = np.zeros(len(joint), bool)
    has_context[best2] = True
    known3 = has_context[source.context3] & kept[source.w3]
    best3 = _best(np.where(known3, joint[source.context3] * source.p3, 0.0), trigrams)
    context = source.context3[best3]
    keys2, p2 = _by_key(new[source.h2[best2]] * len(words) + new[source.w2[best2]], source.p2[best2])
    pairs = new[source.h2[context]] * len(words) + new[source.w2[context]]
    keys3, p3 = _by_key(pairs * len(words) + new[source.w3[best3]], source.p3[best3])
    return _balanced(words, p1, keys2, p2, keys3, p3)


def mixed(own: Trigrams, general: Trigrams, share: float) -> Trigrams:
    """Both over the same words. `share`: the own model's, 0 to 1."""
    keys2, keys3 = np.union1d(own.keys2, general.keys2), np.union1d(own.keys3, general.keys3)
    return _balanced(
        own.words,
        share * own.p1 + (1 - share) * general.p1,
        keys2,
        share * own.bigram(keys2) + (1 - share) * general.bigram(keys2),
        keys3,
        share * own.trigram(keys3) + (1 - share) * general.trigram(keys3),
    )


def _balanced(words: list[str], p1: Floats, keys2: Ints, p2: Floats, keys3: Ints, p3: Floats) -> Trigrams:
    """Works out the back-off weights. Every trigram's context must be among the bigrams."""
    size = len(words)
    owner2 = keys2 // size
    b1 = _left_over(owner2, p2, p1[keys2 % size], size, p1.sum())
    lower = Trigrams(words, p1, b1, keys2, p2, np.ones(len(keys2)), np.empty(0, np.int64), np.empty(0))
    owner3 = np.searchsorted(keys2, keys3 // size)
    b2 = _left_over(owner3, p3, lower.bigram(keys3 % (size * size)), len(keys2), 1.0)
    return replace(lower, b2=b2, keys3=keys3, p3=p3)


def _left_over(owner: Ints, p: Floats, below: Floats, contexts: int, whole: float) -> Floats:
    """Of each context: what its explicit n-grams leave, divided by what the lower order gives to all others."""
    left = 1 - np.bincount(owner, p, contexts)
    below_left = whole - np.bincount(owner, below, contexts)
    return np.maximum(left, _LEFT) / np.maximum(below_left, _LEFT)


def _counts(sentences: Sentences, index: dict[str, int]) -> list[tuple[Ints, Floats]]:
    size = len(index)
    counts: list[dict[int, float]] = [defaultdict(float), defaultdict(float), defaultdict(float)]
    for sentence, weight in sentences:
        ids = [index[word] for word in (START, *sentence, END)]
        for at in range(1, len(ids)):
            pair = ids[at - 1] * size + ids[at]
            counts[0][ids[at]] += weight
            counts[1][pair] += weight
            if at > 1:
                counts[2][ids[at - 2] * size * size + pair] += weight
    return [
        _by_key(np.fromiter(c.keys(), np.int64, len(c)), np.fromiter(c.values(), np.float64, len(c))) for c in counts
    ]


def _witten_bell(contexts: Ints, counts: Floats, lower: Floats) -> tuple[Floats, Ints, Floats]:
    """Probabilities of n-grams sorted by context; the contexts, and the share each leaves to back-off."""
    named, owner, types = np.unique(contexts, return_inverse=True, return_counts=True)
    totals = np.bincount(owner, counts, len(named))
    p = (counts + types[owner] * lower) / (totals + types)[owner]
    return p, named, types / (totals + types)


def _best(worth: Floats, count: int) -> Ints:
    order = np.argsort(-worth)[:count]
    return order[worth[order] > 0]


def _by_key(keys: Ints, values: Floats) -> tuple[Ints, Floats]:
    order = np.argsort(keys)
    return keys[order], values[order]


def _rekeyed(keys: Ints, old: int, new: int) -> Ints:
    return keys // old * new + keys % old


def _look_up(wanted: Ints, keys: Ints, values: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Which keys are there, and the values of those that are."""
    if len(keys) == 0:
        return np.zeros(len(wanted), bool), np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[place] == wanted, values[place]
