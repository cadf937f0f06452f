"""What an assistant's draft may hold, and how it becomes a spec. Problems are told in words that say what to mend."""

import re
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pipeline.contracts.numbers import IDLE_LIMIT_RANGE_S, IDLE_LIMIT_S, PAUSE_MS
from pipeline.contracts.spec import AssistantSpec, DocumentPassage, Fact, TurnSettings, VoiceSettings
from sessions_app.assistants.models import Assistant

VOICE, TURNS = VoiceSettings(), TurnSettings()
PARAGRAPH = re.compile(r"\n\s*\n")
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Page = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
Document = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000)]


class DraftError(ValueError):
    """The draft cannot be published. `by_field`: draft field (or "") → sentences that say what to mend."""

    def __init__(self, by_field: dict[str, list[str]]) -> None:
        self.by_field = by_field
        self.problems = [problem for problems in by_field.values() for problem in problems]
        super().__init__(" ".join(self.problems))


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FactDraft(Part):
    id: Identifier
    topic: Line
    answer: Sentence


class DocumentDraft(Part):
    id: Identifier
    title: Line
    body: Document


class VoiceDraft(Part):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+-]{1,30}$")] = VOICE.name
    rate_wpm: int = Field(VOICE.rate_wpm, ge=80, le=400)


class TurnsDraft(Part):
    patience: Literal["calm", "brisk"] = "calm"
    endpoint_ms: int = Field(TURNS.endpoint_ms, ge=PAUSE_MS, le=3000)
    min_speech_ms: int = Field(TURNS.min_speech_ms, ge=32, le=1000)


class Draft(Part):
    greeting: Sentence
    persona: Page
    facts: list[FactDraft] = Field(default_factory=list, max_length=500)
    documents: list[DocumentDraft] = Field(default_factory=list, max_length=200)
    confidence_threshold: float = Field(0.35, ge=0, le=1, allow_inf_nan=False)
    voice: VoiceDraft = Field(default_factory=VoiceDraft)
    turns: TurnsDraft = Field(default_factory=TurnsDraft)
    idle_limit_s: int = Field(int(IDLE_LIMIT_S), ge=IDLE_LIMIT_RANGE_S[0], le=IDLE_LIMIT_RANGE_S[1])

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Draft":
        for what, parts in (("facts", self.facts), ("documents", self.documents)):
            twice = [name for name, count in Counter(part.id for part in parts).items() if count > 1]
            if twice:
                raise ValueError(f"two {what} are called {', '.join(twice)}; give each an id of its own")
        return self


def checked(draft: Any) -> Draft:
    """Raises DraftError with all that is wrong."""
    try:
        return Draft.model_validate(draft)
    except ValidationError as error:
        by_field: dict[str, list[str]] = {}
        for problem in error.errors():
            field = str(problem["loc"][0]) if problem["loc"] else ""
            by_field.setdefault(field, []).append(_in_words(problem))
        raise DraftError(by_field) from error


def _in_words(problem: Any) -> str:
    """`facts, number 3, answer: Field required.`"""
    place = ", ".join(f"number {part + 1}" if isinstance(part, int) else str(part) for part in problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {text}." if place else f"{text}."


def spec_from(*, assistant: Assistant, draft: Draft) -> AssistantSpec:
    """The draft as the value that workers get. Documents become passages of one paragraph each."""
    return AssistantSpec(
        tenant_id=str(assistant.tenant_id),
        tenant_name=assistant.tenant.name,
        assistant_id=assistant.id,
        assistant_slug=assistant.slug,
        assistant_name=assistant.name,
        greeting=draft.greeting,
        persona=draft.persona,
        facts=tuple(Fact(id=f.id, topic=f.topic, answer=f.answer) for f in draft.facts),
        passages=tuple(passage for document in draft.documents for passage in _passages(document)),
        confidence_threshold=draft.confidence_threshold,
        voice=VoiceSettings(name=draft.voice.name, rate_wpm=draft.voice.rate_wpm),
        turns=TurnSettings(**draft.turns.model_dump()),
        idle_limit_s=draft.idle_limit_s,
    )


def _passages(document: DocumentDraft) -> list[DocumentPassage]:
    paragraphs = [" ".join(part.split()) for part in PARAGRAPH.split(document.body)]
    return [
        DocumentPassage(id=f"{document.id}#{number}", title=document.title, text=text)
        for number, text in enumerate(filter(None, paragraphs), start=1)
    ]
