"""Cuts a stream of text into phrases that can be spoken: the first one early, the others at the ends of sentences."""

import re
from collections.abc import AsyncGenerator, AsyncIterator

FIRST_CLAUSE_CHARS = 40
"""The first phrase may end at a comma once it is this long: sound starts sooner than at the sentence's end."""
CLAUSE_CHARS = 140
LONGEST_CHARS = 260
"""No phrase is longer: cut at white space, whatever stands there."""

_ABBREVIATIONS = frozenset({"dr", "mr", "mrs", "ms", "st", "ave", "no", "vs", "e.g", "i.e", "etc", "prof", "jr", "sr"})
_SENTENCE = re.compile(r"[.!?…]+[\"')\]]*(?=\s)|\n+")
_CLAUSE = re.compile(r"[,;:–—](?=\s)")


async def phrases(pieces: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """Phrases of the reply, stripped, none empty, as soon as each is complete. Joined by spaces they are the reply."""
    buffer, first = "", True
    async for piece in pieces:
        buffer += piece
        while (cut := _cut(buffer, first)) is not None:
            phrase, buffer = buffer[:cut].strip(), buffer[cut:]
            if phrase:
                first = False
                yield phrase
    if buffer.strip():
        yield buffer.strip()


def _cut(text: str, first: bool) -> int | None:
    """Where the first phrase of `text` ends, or None while it may still go on."""
    for match in _SENTENCE.finditer(text):
        if not _is_abbreviation(text[: match.start()]):
            return match.end()
    least = FIRST_CLAUSE_CHARS if first else CLAUSE_CHARS
    for match in _CLAUSE.finditer(text):
        if match.end() >= least:
            return match.end()
    if len(text) > LONGEST_CHARS:
        return text.rfind(" ", 1, LONGEST_CHARS) + 1 or LONGEST_CHARS
    return None


def _is_abbreviation(before: str) -> bool:
    last = before.rsplit(None, 1)[-1].lower() if before.strip() else ""
    return last.strip("\"'(") in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())
