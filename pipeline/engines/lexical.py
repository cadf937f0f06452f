"""Finds the tenant's facts and document passages by their words. In memory, no model, well under a millisecond.

The score says how much of what was asked the passage speaks of: the share of the question's informative words found in
it, each weighted by how rarely the tenant's knowledge uses it. A word that this knowledge never uses weighs most, so
that "the price of bitcoin" does not pass for a question about prices. Being a share, the score means the same for
every question, which a sum like BM25's does not; a threshold can be set on it.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pipeline.contracts.dialogue import Passage
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines.asking import asked
from pipeline.engines.clauses import clauses
from pipeline.engines.index import Index

_INDEXES: Final = 64
"""Versions whose index is kept; the least recently used one goes first."""
_SPECS: Final = 512
"""Spec values whose digest is remembered: each session may hold its own copy of the same version."""
_CLAUSE_SHARE: Final = 0.9
"""What a full match of one clause counts for, against a full match of all that was asked."""


class LexicalRetriever:
    """The retriever of the embedded default. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: OrderedDict[str, Index] = OrderedDict()
        self._digests: OrderedDict[int, tuple[AssistantSpec, str]] = OrderedDict()

    def prepare(self, spec: AssistantSpec) -> None:
        """Builds the version's index now: 10 ms for a small business, half a second for 2,000 paragraphs. For a thread
        other than the event loop's; without it the first search pays."""
        self._index(spec)

    def search(self, spec: AssistantSpec, question: str, limit: int = 4) -> Sequence[Passage]:
        """Facts and documents for the question, best first, scores 0 to 1; at most `limit`.

        Where nothing reaches the version's threshold, the fact with its phone number comes last with score 0: not an
        answer, but the next step to offer.
        """
        index = self._index(spec)
        scores, leaders = _scores(index, question)
        ranked = sorted(scores, key=lambda number: (-scores[number], number))
        kept = [*leaders, *(number for number in ranked if number not in leaders)][:limit]
        found = [replace(index.passages[n], score=round(scores[n], 4)) for n in ranked if n in kept]
        if index.contact and not any(passage.score >= spec.confidence_threshold for passage in found):
            found = [passage for passage in found if passage.id != index.contact.id][: limit - 1] + [index.contact]
        return found

    def _index(self, spec: AssistantSpec) -> Index:
        """Two threads may build the same index at once; either's will do."""
        digest = self._digest(spec)
        index = self._indexes.get(digest) or Index(spec)
        self._keep(self._indexes, digest, index, _INDEXES)
        return index

    def _digest(self, spec: AssistantSpec) -> str:
        """Computed once for a spec value; the value is held so that its identity cannot pass to another."""
        known = self._digests.get(id(spec)) or (spec, spec.digest())
        self._keep(self._digests, id(spec), known, _SPECS)
        return known[1]

    def _keep(self, kept: OrderedDict[Any, Any], key: object, value: object, bound: int) -> None:
        with self._lock:
            kept[key] = value
            kept.move_to_end(key)
            if len(kept) > bound:
                kept.popitem(last=False)


def _scores(index: Index, question: str) -> tuple[dict[int, float], list[int]]:
    """Passage number → score, and the best passage of each thing that was asked."""
    whole = index.scores(asked(question, index.vocabulary))
    scores = dict(whole)
    leaders = [_best(whole)] if whole else []
    parts = clauses(question)
    for part in parts if len(parts) > 1 else ():
        of_part = index.scores(asked(part, index.vocabulary))
        for number, score in of_part.items():
            scores[number] = max(scores.get(number, 0.0), _CLAUSE_SHARE * score)
        leaders += [_best(of_part)] if of_part else []
    return scores, list(dict.fromkeys(leaders))


def _best(scores: dict[int, float]) -> int:
    return max(scores, key=lambda number: (scores[number], -number))
