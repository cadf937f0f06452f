"""How words sound, in the ARPAbet of the CMU dictionary; for words it lacks, a plausible guess.

A guess need not be right in every sound: the recogniser compares whole words, and the language model helps it.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SPELLINGS: Final = (("is", "iz"), ("our", "or"), ("al", "all"), ("re", "er"), ("ogue", "og"), ("lling", "ling"))
"""British to American, as far as it decides whether a word is found."""

ENDINGS: Final = (("s", "Z"), ("'s", "Z"), ("es", "IH Z"), ("ed", "D"), ("ing", "IH NG"), ("er", "ER"), ("ly", "L IY"))
"""Endings on a word that is found without them."""

LETTERS: Final = {
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "eigh": "EY", "igh": "AY", "tch": "CH",
    "sch": "SH",
    "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "wh": "W", "gh": "G", "ck": "K", "ng": "NG", "qu": "K W", "kn": "N",
    "wr": "R", "ee": "IY", "ea": "IY", "ie": "IY", "ei": "EY", "ai": "EY", "ay": "EY", "ey": "IY", "oa": "OW",
    "oo": "UW", "ou": "AW", "ow": "OW", "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO", "ar": "AA R", "er": "ER",
    "ir": "ER", "or": "AO R", "ur": "ER", "ce": "S", "ci": "S IH", "ge": "JH", "a": "AE", "b": "B", "c": "K", "d": "D",
    "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "OW",
    "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
"""Letters to sounds, longest first."""

_PIECE = re.compile("|".join(sorted(LETTERS, key=len, reverse=True)))

Dictionary = dict[str, list[str]]
"""A word's pronunciations, each as phones with spaces between."""


def read_dictionary(path: Path) -> Dictionary:
    """The CMU dictionary's form: `word phones`, further pronunciations as `word(2) phones`."""
    found: Dictionary = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            found.setdefault(word.partition("(")[0], []).append(phones)
    return found


def write_dictionary(path: Path, words: Iterable[str], dictionary: Dictionary) -> None:
    with path.open("w", encoding="utf-8") as out:
        for word in words:
            for number, phones in enumerate(pronounce(word, dictionary), 1):
                out.write(f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n")


def pronounce(word: str, dictionary: Dictionary) -> list[str]:
    """At least one pronunciation of a word of letters and apostrophes."""
    return dictionary.get(word) or _respelled(word, dictionary) or _with_ending(word, dictionary) or [_guess(word)]


def _respelled(word: str, dictionary: Dictionary) -> list[str]:
    spellings = (word.replace(british, american) for british, american in SPELLINGS if british in word)
    return next((dictionary[spelling] for spelling in spellings if spelling in dictionary), [])


def _with_ending(word: str, dictionary: Dictionary) -> list[str]:
    for ending, phones in ENDINGS:
        stem = word.removesuffix(ending)
        for root in (stem, stem + "e"):
            if stem != word and root in dictionary:
                return [f"{known} {phones}" for known in dictionary[root]]
    return []


def _guess(word: str) -> str:
    silent_e = word[:-1] if len(word) > 3 and word.endswith("e") else word
    return " ".join(LETTERS[piece] for piece in _PIECE.findall(re.sub(r"(.)\1", r"\1", silent_e))) or "AH"
