"""Words that were typed or heard with one letter wrong."""

from collections.abc import Iterable
from typing import Final

_SHORTEST: Final = 5
"""Shorter words have too many neighbours: "cart" is no "card"."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word with the same first letter that is one slip (a letter more, less, other or swapped) away."""
    if len(word) < _SHORTEST:
        return None
    return next((other for other in known if len(other) >= _SHORTEST and _one_slip(word, other)), None)


def _one_slip(one: str, other: str) -> bool:
    if one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest_one, rest_other = one[same:], other[same:]
    if len(one) == len(other):
        swapped = rest_one[:2] == rest_other[1::-1] and rest_one[2:] == rest_other[2:]
        return rest_one[1:] == rest_other[1:] or swapped
    longer, shorter = (rest_one, rest_other) if len(one) > len(other) else (rest_other, rest_one)
    return longer[1:] == shorter
