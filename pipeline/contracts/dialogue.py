"""The words of a conversation as values: states, transcripts, passages, turns."""

import enum
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


class State(enum.StrEnum):
    """Where the turn stands (product contract, section 4). INTERRUPTED is passed through at once."""

    IDLE = "IDLE"
    LISTENING = "LISTENING"
    THINKING = "THINKING"
    SPEAKING = "SPEAKING"
    INTERRUPTED = "INTERRUPTED"


class CancelReason(enum.StrEnum):
    USER_BARGE_IN = "USER_BARGE_IN"
    USER_STOP = "USER_STOP"
    SYSTEM_OVERLOAD = "SYSTEM_OVERLOAD"


class Origin(enum.StrEnum):
    """Where a turn came from."""

    GREETING = "greeting"
    VOICE = "voice"
    CHAT = "chat"
    NUDGE = "nudge"
    """A one-line question after a silence where an answer was due."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the recogniser made of one utterance. Empty text: nothing was understood."""

    text: str
    confidence: float = 1.0
    """0 to 1; 1 where the engine gives none."""
    unended: str = ""
    """Of an utterance that goes on: its words when nothing is taken to end here; empty where the engine cannot say.
    Worse as a text. Where only one of the two sounds like an end, it may be none."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the tenant's knowledge that answers (perhaps) the question. `score` 0 to 1."""

    id: str
    title: str
    text: str
    score: float
    tier: str
    """`fact` or `document`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the prompt. `role`: system, user or assistant, as in the OpenAI chat API."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a language server counted for one reply."""

    prompt_tokens: int
    cached_tokens: int
    """Of the prompt, taken from the server's prefix cache."""


@dataclass(frozen=True, slots=True)
class LanguageRequest:
    """All that a language engine gets to see for one reply."""

    messages: tuple[Message, ...]
    """Pinned prefix first, then older turns, then the visitor's words as the last `user` message."""
    question: str
    passages: tuple[Passage, ...]
    """Retrieved for this question, best first; already above nothing: the engine applies the threshold."""
    confidence_threshold: float
    max_tokens: int
    session_id: str
    assistant_name: str
    business_name: str
    speculative: bool = False
    """The turn may not be over yet and the reply may never be told: tools with side effects must not run."""
    style: str = ""
    """How this reply is to be worded, for the model alone; empty: as the persona says."""
    on_usage: Callable[[Usage], None] | None = field(default=None, compare=False, repr=False)
    """Called once when the server says what it counted; of a reply that was cut, never."""


@dataclass(slots=True)
class TurnTimings:
    """Per-turn latencies in ms; None: did not happen. Measured on the worker's monotonic clock."""

    endpoint_ms: float | None = None
    """Last speech the VAD saw → end-of-turn decision (the silence that was waited for)."""
    asr_ms: float | None = None
    """Decision → final transcript."""
    llm_first_token_ms: float | None = None
    """Final transcript → first words of the reply (retrieval included)."""
    tts_first_audio_ms: float | None = None
    """First phrase handed to synthesis → first PCM."""
    decision_ms: float | None = None
    """What judging the end of the turn took (V6)."""
    packaging_ms: float | None = None
    """First PCM of a reply that may be heard → its first packet handed to the transport."""
    ttfa_ms: float | None = None
    """V1: decision → first agent audio packet handed to the transport."""
    barge_in_ms: float | None = None
    """Speech-start event → output stopped on the server."""

    def to_wire(self) -> dict[str, float]:
        return {k: round(v, 1) for k, v in asdict(self).items() if v is not None}


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One line of the journal: what was said (`kind="said"`) or what was told (`kind="told"`, the turn is finished).

    Writing the same record twice has the effect of writing it once: `(session_id, leg, number)` names the turn,
    and a `told` record carries everything that the `said` record did.
    """

    kind: str
    session_id: str
    tenant_id: str
    leg: int
    """Which connection of the session: 1 for the first worker, 2 after a move to another, and so on."""
    number: int
    """Turn number within the leg, from 0 (the greeting)."""
    origin: str
    visitor_text: str
    started_at: float
    """Seconds since the epoch."""
    t_audio_ms: float
    version: str
    """Digest of the assistant version that answered."""
    reply_text: str = ""
    """What was heard of the reply, not what was planned."""
    fragment: str = ""
    """What was heard of replies that were taken back because the visitor was not done yet."""
    interrupted: bool = False
    cancel_reason: str = ""
    warmup: bool = False
    ended_at: float = 0.0
    confidence: float = 1.0
    timings: dict[str, float] = field(default_factory=dict)
    passages: tuple[tuple[str, float], ...] = ()
    """(id, score) of the knowledge that the reply rests on."""
    message_id: str = ""
    """Of a typed message that had one (`wire.Chat.id`)."""

    @property
    def turn_id(self) -> str:
        return turn_id(self.session_id, self.leg, self.number)

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> "TurnRecord":
        """Raises TypeError on unknown or missing fields."""
        fields = dict(data)
        fields["passages"] = tuple((str(i), float(s)) for i, s in fields.get("passages", ()))
        return cls(**fields)


def turn_id(session_id: str, leg: int, number: int) -> str:
    """The public name of a turn, `trn_…`: unique, and sortable within its session."""
    return f"trn_{session_id.removeprefix('ses_')}.{leg}.{number}"


@dataclass(frozen=True, slots=True)
class LegRecord:
    """A connection of a session to a worker began or ended (`kind`: began, ended). Same journal, same idempotence."""

    kind: str
    session_id: str
    tenant_id: str
    leg: int
    at: float
    """Seconds since the epoch."""
    worker: str
    reason: str = ""
    """Why it ended: hangup, vanished, idle, limit, moved, failed, drained."""

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A live event that is worth keeping (`events.LASTING`). Named by `(session_id, leg, seq)`. `kind`: "event"."""

    kind: str
    session_id: str
    tenant_id: str
    leg: int
    seq: int
    turn: int
    event: str
    at: float
    """Seconds since the epoch."""
    t_audio_ms: float
    data: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)


Record = TurnRecord | LegRecord | EventRecord


def record_from_wire(data: dict[str, Any]) -> Record:
    """Raises TypeError on unknown fields, KeyError without `kind`."""
    match data["kind"]:
        case "began" | "ended":
            return LegRecord(**data)
        case "event":
            return EventRecord(**data)
    return TurnRecord.from_wire(data)
