"""One frozen assistant version as a value, and its canonical JSON manifest with digest.

Canonical form: UTF-8, keys sorted, no insignificant white space, no NaN: RFC 8785 for the types used here (text,
integers, booleans, lists, objects; the fractions are of the form that Python and ECMAScript print alike).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.contracts.errors import SpecError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the business knows about itself. `answer` is a whole sentence, spoken as it stands."""

    id: str
    topic: str
    """What it is about, in the words a visitor would use: "opening hours saturday weekend"."""
    answer: str


@dataclass(frozen=True, slots=True)
class DocumentPassage:
    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    name: str = "en-us"
    rate_wpm: int = 170


@dataclass(frozen=True, slots=True)
class TurnSettings:
    endpoint_ms: int = 704
    """Silence, as the VAD hears it, that ends a turn whatever was said. More than PAUSE_MS."""
    patience: str = "calm"
    """`calm`: pauses up to PAUSE_MS never cut the visitor off. `brisk`: a sentence that sounds complete ends the turn
    sooner; a visitor who goes on after all gets the floor back."""
    min_speech_ms: int = 96
    """Speech shorter than this is noise."""


@dataclass(frozen=True, slots=True)
class AssistantSpec:
    """What a worker must know to be this assistant, and nothing about the tenant beyond it."""

    tenant_id: str
    tenant_name: str
    assistant_id: str
    assistant_slug: str
    assistant_name: str
    greeting: str
    persona: str
    """System prompt: who the assistant is and how it speaks."""
    language: str = "en"
    facts: tuple[Fact, ...] = ()
    passages: tuple[DocumentPassage, ...] = ()
    confidence_threshold: float = 0.35
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    turns: TurnSettings = field(default_factory=TurnSettings)
    idle_limit_s: int = 300

    def to_manifest(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    def digest(self) -> str:
        return digest(self.to_manifest())

    @classmethod
    def from_manifest(cls, manifest: dict[str, Any]) -> "AssistantSpec":
        """Raises SpecError on a manifest of another schema, or with missing or unknown fields."""
        data = dict(manifest)
        if data.pop("schema", None) != SCHEMA:
            raise SpecError(f"manifest schema must be {SCHEMA}")
        try:
            data["facts"] = tuple(Fact(**f) for f in data.get("facts", ()))
            data["passages"] = tuple(DocumentPassage(**p) for p in data.get("passages", ()))
            data["voice"] = VoiceSettings(**data.get("voice", {}))
            data["turns"] = TurnSettings(**data.get("turns", {}))
            return cls(**data)
        except TypeError as error:
            raise SpecError(f"manifest does not describe an assistant version: {error}") from error


def canonical_json(manifest: dict[str, Any]) -> str:
    """Raises ValueError on NaN or infinity."""
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(manifest: dict[str, Any]) -> str:
    """Lower-case hex SHA-256 of the canonical form. A loaded manifest (lists for tuples) has the same digest."""
    return hashlib.sha256(canonical_json(manifest).encode()).hexdigest()
