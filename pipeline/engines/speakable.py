"""Text as it may be given to a speech synthesiser: markup, links, control characters and Unicode tricks taken out;
prices, times and phone numbers written the way people say them.

The text may come from a language model or a visitor, so nothing in it may command the synthesiser: no `<`, `[` or
control character comes out of here. Each character that comes out knows which characters of the given text it stands
for, so that word marks still refer to the text as given.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.engines.spoken_forms import RULES, Replacement

LENGTH_LIMIT: Final = 2000
"""Characters of one phrase that are spoken; some two minutes. What is longer is cut at a word."""
PIECE_LENGTH: Final = 160
"""A longer phrase is synthesised in pieces that end with a sentence, if there is one, of about this length."""


@dataclass(frozen=True, slots=True)
class Speakable:
    """`text` is what to speak. Its character i stands for characters `starts[i]` to `ends[i]` of the given text."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def origin(self, start: int, length: int) -> tuple[int, int]:
        """(start, length) in the given text of that range of `text`. Ranges outside of `text` are moved into it."""
        if not self.text:
            return 0, 0
        first = min(max(start, 0), len(self.text) - 1)
        last = min(max(start + length - 1, first), len(self.text) - 1)
        begin = self.starts[first]
        return begin, max(self.ends[last] - begin, 0)

    def pieces(self) -> Iterator[tuple[int, str]]:
        """(offset, text) of pieces that can be spoken one after the other; the first is one sentence, to begin soon."""
        start = 0
        while start < len(self.text):
            end = _piece_end(self.text, start)
            yield start, self.text[start:end]
            start = end


def speakable(given: str) -> Speakable:
    """Never raises; applied to its own text it changes nothing. The text is empty when nothing can be said."""
    text = _Traced.of_characters(given[: 2 * LENGTH_LIMIT])
    for _ in range(_ROUNDS):
        before = text.text
        for pattern, replacement in RULES:
            text = text.replace(pattern, replacement)
        text = text.cut(LENGTH_LIMIT)
        if text.text == before:
            break
    return Speakable(text.text, tuple(text.starts), tuple(text.ends))


_ROUNDS: Final = 8
"""What one rule takes away may bring together what another one looks for. The second round mostly finds nothing."""


class _Traced:
    """A text whose characters know where they come from."""

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        self.text, self.starts, self.ends = text, starts, ends

    @classmethod
    def of_characters(cls, given: str) -> "_Traced":
        """Normalised to NFKC cluster by cluster (a character with its combining marks), unspeakable ones dropped."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for cluster in _CLUSTER.finditer(given):
            spoken = _spoken(cluster.group())
            text.append(spoken)
            starts += [cluster.start()] * len(spoken)
            ends += [cluster.end()] * len(spoken)
        return cls("".join(text), starts, ends)

    def replace(self, pattern: re.Pattern[str], replacement: Replacement) -> "_Traced":
        """Every match replaced; where the replacement is the matched text's own part, it keeps its offsets."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            spoken = replacement(match) if callable(replacement) else match.expand(replacement)
            if not match.group() or spoken == match.group():
                continue
            text += (self.text[done : match.start()], spoken)
            starts += self.starts[done : match.start()] + [self.starts[match.start()]] * len(spoken)
            ends += self.ends[done : match.start()] + [self.ends[match.end() - 1]] * len(spoken)
            done = match.end()
        return _Traced("".join((*text, self.text[done:])), starts + self.starts[done:], ends + self.ends[done:])

    def cut(self, limit: int) -> "_Traced":
        if len(self.text) <= limit:
            return self
        end = self.text.rfind(" ", 0, limit)
        end = end if end > 0 else limit
        return _Traced(self.text[:end], self.starts[:end], self.ends[:end])


_MARKS: Final = r"[\u0300-\u036f\u20d0-\u20ff]"
_CLUSTER: Final = re.compile(rf".{_MARKS}*", re.DOTALL)
_KEPT_SYMBOLS: Final = frozenset("$£€¥+=<>|~^`°×−")


def _spoken(cluster: str) -> str:
    if cluster.isascii() and cluster.isprintable():
        return cluster
    normal = unicodedata.normalize("NFKC", cluster)
    if "\u2044" in normal:  # the slash of ½, which may follow a whole number: 1½ is not 11/2
        normal = " " + normal.replace("\u2044", "/")
    return "".join(map(_spoken_character, normal))


def _spoken_character(character: str) -> str:
    """By Unicode's general category: letters, digits and punctuation stay; marks that did not compose, emoji, bidi
    controls, zero-width characters, private use and surrogates go."""
    category = unicodedata.category(character)
    if category.startswith("Z") or character in "\t\n\r\f\v":
        return " "
    if category.startswith("S"):
        return character if character in _KEPT_SYMBOLS else " "
    return "" if category[0] in "CM" else character


def _piece_end(text: str, start: int) -> int:
    """A sentence's end (the first one for the first piece), else a comma's, else a word's, else the limit."""
    rest = text[start : start + PIECE_LENGTH + 1]
    if start and len(rest) <= PIECE_LENGTH:
        return len(text)
    sentences = [match.end() for match in re.finditer(r"[.!?]\s+", rest)]
    if sentences:
        return start + (sentences[0] if start == 0 else sentences[-1])
    if len(rest) <= PIECE_LENGTH:
        return len(text)
    for mark in (", ", " "):
        if (end := rest.rfind(mark, 1)) > 0:
            return start + end + len(mark)
    return start + PIECE_LENGTH
