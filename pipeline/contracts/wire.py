"""Messages on the channel layer between office and machine, and the names of the addresses they travel to.

Every message is a dict of msgpack-able values whose `type` names it, as channel layers want. Each class knows its own
wire form (`to_wire`, `from_wire`). Messages are delivered at most once and may arrive late: every request carries a
deadline (epoch seconds) and a `reply_to`, and handlers may run twice.

| message | from → to | address |
| --- | --- | --- |
| Offer | office → any free worker | `offers_channel(pool)` |
| Answer, Refusal | worker → office | the Offer's `reply_to` |
| Candidate, Hangup, Chat, Record, SpecChanged | office → the worker that holds the session | `Answer.mailbox` |
| ChatReply | worker → office | the Chat's `reply_to` |
| RollCall | office → all workers | group `WORKERS_GROUP` |
| Report | worker → office | the RollCall's `reply_to` |
| event (contracts.events) | worker → office sockets | group `events_group(session_id)` |
| faces | worker → office sockets | group `faces_group(session_id)` |
"""

import time
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from pipeline.contracts.errors import WireError


def offers_channel(pool: str = "default") -> str:
    """Where sessions wait for a worker. Only workers with a free seat receive here: placement is back-pressure."""
    return "pipeline.offers" if pool == "default" else f"pipeline.offers.{pool}"


WORKERS_GROUP = "pipeline.workers"
"""Every worker's mailbox is a member: news for all (SpecChanged) goes here."""


def events_group(session_id: str) -> str:
    return f"session.{session_id}"


def faces_group(session_id: str) -> str:
    return f"faces.{session_id}"


@dataclass(frozen=True, slots=True)
class Wired:
    """A message that knows its wire form."""

    type: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"type": self.type, **asdict(self)}

    @classmethod
    def from_wire(cls, message: dict[str, Any]) -> Self:
        """Raises WireError when fields are missing, unknown or the type is another."""
        fields = dict(message)
        if fields.pop("type", None) != cls.type:
            raise WireError(f"expected a message of type {cls.type}")
        try:
            return cls(**fields)
        except TypeError as error:
            raise WireError(f"{cls.type}: {error}") from error


@dataclass(frozen=True, slots=True)
class Offer(Wired):
    """Take this session. Without `sdp` and on no other transport: a conversation in writing, no media."""

    type: ClassVar[str] = "offer"
    session_id: str
    leg: int
    spec: dict[str, Any]
    """Manifest of the frozen version (contracts.spec)."""
    sdp: str
    reply_to: str
    deadline: float
    """Epoch seconds; a worker that sees it later drops it: nobody waits any more."""
    history: list[list[str]]
    """(role, content) pairs of the session so far, oldest first: what a resumed session remembers."""
    created_at: float
    """Epoch seconds at which the session's audio clock read zero."""
    transport: str = "webrtc"
    """`websocket`: no `sdp`; the sound comes to the audio door that the answer names. `whip`: as `webrtc`, and the
    caller may be one that takes no sound."""
    record: bool = False
    """The tenant wishes it, and the visitor has agreed."""

    def expired(self, now: float | None = None) -> bool:
        return (time.time() if now is None else now) > self.deadline


@dataclass(frozen=True, slots=True)
class Answer(Wired):
    """Taken. `mailbox`: where messages for this session go from now on. `sdp` is empty when the offer's was."""

    type: ClassVar[str] = "answer"
    session_id: str
    leg: int
    sdp: str
    mailbox: str
    worker: str
    audio: str = ""
    """Of a session on a websocket: the worker's audio door, `unix:/path` or `ws://host:port/`."""
    ticket: str = ""
    """Opens that door, once, within seconds."""


@dataclass(frozen=True, slots=True)
class Refusal(Wired):
    """Not taken, in words. `code`: busy, bad_offer, bad_manifest, engine_failed."""

    type: ClassVar[str] = "refusal"
    session_id: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate(Wired):
    """A trickled ICE candidate of the browser. Empty `candidate`: end of candidates (RFC 8838)."""

    type: ClassVar[str] = "candidate"
    session_id: str
    candidate: str
    sdp_mid: str | None
    sdp_m_line_index: int | None


@dataclass(frozen=True, slots=True)
class Hangup(Wired):
    type: ClassVar[str] = "hangup"
    session_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record(Wired):
    """The visitor agrees to be recorded (`on`), or does not any more: what this leg has recorded so far is deleted."""

    type: ClassVar[str] = "record"
    session_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Chat(Wired):
    """The visitor typed. The worker answers with ChatReply, or with Refusal when the session is not there."""

    type: ClassVar[str] = "chat"
    session_id: str
    text: str
    reply_to: str
    """Empty: nobody waits for the reply (it is still spoken and told in events)."""
    id: str = ""
    """The message's own, in its session: sent again with it, it is not said again. Empty: it has none."""


@dataclass(frozen=True, slots=True)
class ChatReply(Wired):
    type: ClassVar[str] = "chat_reply"
    session_id: str
    turn_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Watch(Wired):
    """Somebody watches this session's face, for WATCHED_S from now: frames are worth sending to its group."""

    type: ClassVar[str] = "watch"
    session_id: str


@dataclass(frozen=True, slots=True)
class SpecChanged(Wired):
    """A new version was published; live sessions swap at their next turn boundary."""

    type: ClassVar[str] = "spec_changed"
    assistant_id: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RollCall(Wired):
    """How do you all stand? Nobody keeps a table of loads; who wants to know asks."""

    type: ClassVar[str] = "roll_call"
    reply_to: str


@dataclass(frozen=True, slots=True)
class Report(Wired):
    """How one worker stands. Who does not report in time is not there."""

    type: ClassVar[str] = "report"
    worker: str
    pool: str
    level: int
    """0 to 5 (core.degradation), and `why`: the measure that asks for it, in words."""
    why: str
    admits: bool
    """It takes sessions, as far as it has seats."""
    rejects: bool
    """So strained that nobody should even wait for it."""
    sessions: int
    seats: int
    loop_lag_ms: float
    ttfa_p95_ms: float | None
    """None: too few turns to say."""


def session_event(event: dict[str, Any]) -> dict[str, Any]:
    """The group message that carries an event's wire form to websocket consumers (handler `session_event`)."""
    return {"type": "session_event", "payload": event}


def session_faces(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """The group message that carries about 100 ms of face frames (handler `session_faces`)."""
    return {"type": "session_faces", "frames": frames}
