"""How written things are said: the rules by which `pipeline.engines.speakable` rewrites a text, in their order."""

import re
from collections.abc import Callable
from typing import Final

Replacement = str | Callable[[re.Match[str]], str]

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


RULES: Final = _rules(
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
"""(pattern, replacement), to be applied in this order until nothing changes."""
