"""What a draft changes in what visitors hear: two manifests side by side, in words a person decides by."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.contracts.spec import AssistantSpec

TEXTS = {"assistant_name": "Name", "greeting": "Greeting", "persona": "Persona"}
SETTINGS = {"confidence_threshold": "Confidence threshold", "idle_limit_s": "Idle limit, s"}
GROUPS = {"voice": "Voice", "turns": "Turn taking"}
NAMED = (("Fact", "facts", "topic", "answer"), ("Document", "passages", "title", "text"))


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of a text: kept as they were, taken out, or put in."""

    kind: Literal["same", "del", "ins"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    title: str
    pieces: tuple[Piece, ...]


def changes(before: dict[str, Any] | None, after: AssistantSpec) -> list[Change]:
    """`before`: the live version's manifest; None when nothing is live, then everything is new."""
    return list(_changes(before or {}, after.to_manifest()))


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name, title in (TEXTS | SETTINGS).items():
        yield from _change(title, _words(old.get(name)), _words(new.get(name)))
    for group, title in GROUPS.items():
        was, now = old.get(group) or {}, new.get(group) or {}
        for name in sorted(was.keys() | now.keys()):
            yield from _change(f"{title}: {name}", _words(was.get(name)), _words(now.get(name)))
    for what, group, head, body in NAMED:
        sides = [{part["id"]: f"{part[head]}: {part[body]}" for part in side.get(group) or ()} for side in (old, new)]
        yield from _named(what, *sides)


def _named(what: str, old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    """Parts that have ids of their own; where one stands among the others says nothing to visitors."""
    for name in dict.fromkeys([*new, *old]):
        yield from _change(f"{what} {name}", old.get(name, ""), new.get(name, ""))


def _change(title: str, old: str, new: str) -> Iterator[Change]:
    if old != new:
        yield Change(title, tuple(_pieces(old, new)))


def _words(value: Any) -> str:
    return "" if value is None else str(value)


def _pieces(old: str, new: str) -> Iterator[Piece]:
    """Word by word, spaces kept."""
    was, now = _split(old), _split(new)
    for kind, a, b, c, d in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(was[a:b]))
            continue
        if b > a:
            yield Piece("del", "".join(was[a:b]))
        if d > c:
            yield Piece("ins", "".join(now[c:d]))


def _split(text: str) -> list[str]:
    words: list[str] = []
    for word in text.split(" "):
        words += [word, " "]
    return words[:-1] if text else []
