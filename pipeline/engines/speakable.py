"""Text as it may be given to a speech synthesiser: markup, links, control characters and Unicode tricks taken out;
prices, times and phone numbers written the way people say them.

The text may come from a language model or a visitor, so nothing in it may command the synthesiser: no `<`, `[` or
control character comes out of here. Each character that comes out knows which characters of the given text it stands
for, so that word marks still refer to the text as given.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

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
        for pattern, replacement in _RULES:
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

    def replace(self, pattern: re.Pattern[str], replacement: "Replacement") -> "_Traced":
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


Replacement = str | Callable[[re.Match[str]], str]

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


_CURRENCIES: Final = {
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", "sen"),
}  # fmt: skip
_PLURALS: Final = {"penny": "pence", "yen": "yen", "sen": "sen"}


def _count(number: str, unit: str) -> str:
    return f"{number} {unit}" if number == "1" else f"{number} {_PLURALS.get(unit, unit + 's')}"


def _money(match: re.Match[str]) -> str:
    whole, fraction = _CURRENCIES[match["sign"]]
    spoken = _count(match["whole"], whole)
    if match["cents"] and match["cents"] != "00":
        spoken += " and " + _count(str(int(match["cents"])), fraction)
    return f"{spoken} "


_HALF: Final = r" ?[AaPp]\.?[Mm]\b\.?"
_HALF_OF_DAY: Final = re.compile(_HALF)
_DAYS: Final = {day[:3]: day for day in "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()}


def _days(match: re.Match[str]) -> str:
    return f"{_DAYS[match['first']]} to {_DAYS[match['last']]}"


def _time(match: re.Match[str]) -> str:
    hour, minute = str(int(match["hour"])), match["minute"]
    if minute == "00":
        if _HALF_OF_DAY.match(match.string, match.end()):
            return hour
        return f"{hour} o'clock" if 1 <= int(hour) <= 12 else f"{hour} hundred"
    return f"{hour} oh {minute[1]}" if minute[0] == "0" else f"{hour} {minute}"


_DAY: Final = "|".join(_DAYS)
_DASH: Final = r" ?[\u2012-\u2014-] ?"
_AMOUNT: Final = r"(?:[$€£¥] ?\d[\d,.]*|[0-2]?\d:[0-5]\d|\d{1,2})"


def _phone(match: re.Match[str]) -> str:
    """Digit by digit, a breath between the groups."""
    return ", ".join(" ".join(group) for group in re.findall(r"\d+", match.group()))


def _link(match: re.Match[str]) -> str:
    """Nobody wants to hear a path: only the site's name is said."""
    return match["host"].replace(".", " dot ")


def _rules(*rules: tuple[str, Replacement]) -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)


_RULES: Final = _rules(
    # Markup: what it wraps is said, it is not.
    (r"<!--.{0,500}?-->|</?[A-Za-z][^<>]*>|&#?[A-Za-z0-9]{1,10};", " "),
    (r"!?\[(?P<text>[^\[\]]*)\]\([^()\s]*\)", r"\g<text>"),
    (r"(?i)\bhttps?://(?:www\.)?(?P<host>[a-z0-9.-]*[a-z0-9])(?:[/?#:][^\s<>\[\]()]*[^\s<>\[\]().,;:!?])?", _link),
    (r"[<>\[\]{}|\\`^~*_\"“”„«»]", " "),
    (r"[‘’‛]", "'"),
    # Numbers the way people say them.
    (r"(?<![\d-])(?:\+?\d{1,2}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])?\d{3}-\d{4}(?![\d-])", _phone),
    (rf"\b(?P<first>{_DAY})[a-z]{{0,2}}\.?{_DASH}(?P<last>{_DAY})[a-z]{{0,2}}\b", _days),
    (rf"(?P<from>(?<![\d-]){_AMOUNT}(?:{_HALF})?){_DASH}(?={_AMOUNT}(?![\d-]))", r"\g<from> to "),
    (r"(?P<sign>[$€£¥]) ?(?P<whole>\d+(?:,\d{3})*)(?:\.(?P<cents>\d\d)(?!\d))?", _money),
    (r"(?<![\d:])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?![\d:])", _time),
    (r"(?<=\w)[\u2012\u2013](?=\w)", " to "),
    (r"(?<!\S)[−-](?=\d)|−", " minus "),
    # Signs that have a name.
    (r"&", " and "), (r"=", " equals "), (r"\+", " plus "), (r"°", " degrees "), (r"×", " times "), (r"@", " at "),
    (r"#(?=\d)", "number "), (r"[$€£¥#]", " "),
    (r"\s+", " "),
    # Punctuation that would be read aloud or end a sentence too early.
    (r"\b(?P<title>Dr|Mr|Mrs|Ms|St)\.(?= ?[A-Z])", r"\g<title>"),
    (r"[\u2012-\u2015•·]|(?<!\S)-+(?!\S)|-{2,}", ", "),
    (r"[()]", ", "),
    (r"(?P<mark>[.,;:!?])(?:\s*[.,;:!?])+", r"\g<mark>"),
    (r"\s+(?=[.,;:!?](?:\s|$))", ""),
    (r"\s+", " "),
    (r"^[\s.,;:!?/'-]+|\s+$", ""),
)  # fmt: skip


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
