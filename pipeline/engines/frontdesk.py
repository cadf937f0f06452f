"""The language engine of the embedded default: a receptionist who reads out what the tenant wrote, and nothing else.

No model: the reply is the best fact's answer as it stands, or the one or two sentences of a document that speak of what
was asked. Nothing above the tenant's threshold: it says that it does not know and offers a next step. So every sentence
it says was written by the tenant or stands in this room.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from pipeline.contracts.dialogue import LanguageRequest, Message, Passage
from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.core.words import words
from pipeline.engines.asking import asked
from pipeline.engines.clauses import clauses
from pipeline.engines.concepts import concept
from pipeline.engines.extract import extract
from pipeline.engines.index import SENTENCE_END
from pipeline.engines.smalltalk import filled, said_before, small_talk

UNKNOWN: Final = (
    "I'm sorry, I don't have that information.",
    "I'm afraid I don't know that.",
    "I can't answer that, I'm sorry.",
)
ASK_ELSE: Final = "You can ask me something else about {business}."
REST_UNKNOWN: Final = "About the rest of your question I don't have information."

_MOST_ANSWERS: Final = 2
_ANSWERS: Final = 0.5
"""Share of a clause's ideas that a passage must speak of to count as its answer."""
_PIECE: Final = re.compile(r"\S+\s*")


class FrontdeskLanguage:
    """Answers from `request.passages` alone; `request.messages` are read for what it has said before."""

    name = "frontdesk"

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to end."""

    async def reply(self, request: LanguageRequest) -> AsyncIterator[str]:
        """The reply word by word, the first at once. Joined, the pieces are the text."""
        for piece in _PIECE.findall(small_talk(request) or _answer(request)):
            yield piece

    @property
    def context_tokens(self) -> int:
        return CONTEXT_TOKENS

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        """There is no tokenizer."""
        return None

    async def summarise(self, messages: Sequence[Message]) -> str:
        return await asyncio.to_thread(extract, messages)  # some 20 ms for what a rollover hands over


def _answer(request: LanguageRequest) -> str:
    known = [passage for passage in request.passages if passage.score >= request.confidence_threshold]
    if not known:
        return _unknown(request)
    parts = clauses(request.question)
    if len(parts) == 1:
        return spoken_part(known[0], parts[0])
    answers = {part: passage for part in parts if (passage := _speaks_of(part, known))}
    if not answers:
        return spoken_part(known[0], request.question)
    told = dict.fromkeys(spoken_part(passage, part) for part, passage in list(answers.items())[:_MOST_ANSWERS])
    return " ".join([*told, *([REST_UNKNOWN] if len(answers) < len(parts) else [])])


def spoken_part(passage: Passage, question: str) -> str:
    """A fact as it stands; of a document the sentence that speaks most of the question, and the next if it does too."""
    if passage.tier == "fact":
        return passage.text
    sentences = SENTENCE_END.split(passage.text)
    wanted = asked(question)
    shares = [sum(wanted.get(idea, 0.0) for idea in _ideas(sentence)) for sentence in sentences]
    best = shares.index(max(shares))
    goes_on = best + 1 < len(sentences) and (shares[best + 1] > 0 or shares[best] == 0)
    return " ".join(sentences[best : best + 1 + goes_on])


def _speaks_of(part: str, known: Sequence[Passage]) -> Passage | None:
    """The passage that answers this clause, if one does."""
    wanted = asked(part)
    total = sum(wanted.values())
    shares = [sum(wanted.get(idea, 0.0) for idea in _ideas(f"{p.title} {p.text}")) / total for p in known]
    best = shares.index(max(shares))
    return known[best] if shares[best] >= _ANSWERS else None


def _ideas(text: str) -> set[str]:
    return {concept(word) for word in words(text)}


def _unknown(request: LanguageRequest) -> str:
    """Says so, each time in other words; offers the phone number and another question by turns."""
    times = said_before(request, UNKNOWN)
    contact = next(
        (p.text for p in reversed(request.passages) if p.tier == "fact" and "phone" in _ideas(p.title)), None
    )
    next_step = contact if contact and times % 2 == 0 else filled(ASK_ELSE, request)
    return f"{UNKNOWN[times % len(UNKNOWN)]} {next_step}"
