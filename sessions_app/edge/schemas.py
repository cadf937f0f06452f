"""The forms of what goes in and out of the API and the signaling socket. Limits are here: rooms below need none."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Schema
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

MAX_SDP_CHARS = 32_000
"""Chromium's offer with audio and two data channels has some 3,000."""
MAX_MESSAGE_CHARS = 2_000
MAX_CANDIDATE_CHARS = 1_000

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", text)


def _clean_words(text: str) -> str:
    """Control characters are no words, and PostgreSQL takes no NUL. Raises ValueError when nothing is left."""
    cleaned = _without_controls(text).strip()
    if not cleaned:
        raise ValueError("must not be empty")
    return cleaned


Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_MESSAGE_CHARS), AfterValidator(_clean_words)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SDP_CHARS)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("must be an e-mail address") from error
    return text.lower()


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_clean_words)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")]


Visitor = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:@-]+$")]


class SessionIn(Schema):
    assistant: Name = Field(description="The assistant's id or its slug.")
    channel: Literal["voice", "chat"] = "voice"
    visitor: Visitor | Literal[""] = Field("", description="Your own id of whom it is, by which they can be erased.")


class EmbedIn(Schema):
    assistant: Name = Field(description="The assistant's id or its slug.")


class Named(Schema):
    id: str
    name: str


class TenantName(Schema):
    name: str


class EmbedOut(Schema):
    token: str = Field(description="Opens sessions with this assistant, from this page's origin.")
    expires_at: datetime
    assistant: Named
    tenant: TenantName


class Urls(Schema):
    signaling: str
    audio: str
    blendshapes: str


class IceServersOut(Schema):
    ice_servers: list[dict[str, Any]] = Field(description="As the browser's `RTCPeerConnection` takes them.")


class SessionOpened(Schema):
    id: str
    token: str = Field(description="For this session only: `Authorization: Bearer`, or subprotocol of its websocket.")
    expires_at: datetime
    ice_servers: list[dict[str, Any]] = Field(description="As the browser's `RTCPeerConnection` takes them.")
    urls: Urls
    recording: bool = Field(
        description="The tenant wishes to record the call: ask the visitor, and say so if they agree."
    )


class SessionOut(Schema):
    id: str
    assistant: str
    assistant_slug: str
    channel: str
    visitor: str
    recording: str = Field(description="What the visitor says to it: `agreed`, `refused`; empty: not asked.")
    state: str
    leg: int
    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    end_reason: str

    @staticmethod
    def resolve_assistant(session: Any) -> str:
        return str(session.assistant_id)

    @staticmethod
    def resolve_assistant_slug(session: Any) -> str:
        return str(session.assistant.slug)


class Description(Schema):
    """An SDP description as `RTCSessionDescription.toJSON()` gives it."""

    sdp: Sdp
    type: Literal["offer"] = "offer"


class AnswerOut(Schema):
    sdp: str
    type: Literal["answer"] = "answer"
    leg: int


class CandidateIn(Schema):
    """A trickled candidate as `RTCIceCandidate.toJSON()` gives it; an empty one ends the list (RFC 8838)."""

    candidate: str = Field("", max_length=MAX_CANDIDATE_CHARS)
    sdpMid: str | None = Field(None, max_length=64)
    sdpMLineIndex: int | None = Field(None, ge=0, le=64)


class ChatIn(Schema):
    message: Words


class ChatOut(Schema):
    reply: str
    turn_id: str


class TurnOut(Schema):
    turn_id: str
    leg: int
    number: int
    origin: str
    visitor_text: str
    reply_text: str = Field(description="As far as it was heard.")
    fragment: str = Field(description="What was heard of a reply that was taken back: the visitor went on speaking.")
    interrupted: bool
    cancel_reason: str
    warmup: bool
    finished: bool
    started_at: datetime
    ended_at: datetime | None
    t_audio_ms: float
    confidence: float
    timings: dict[str, float] = Field(description="Latencies in ms.")
    passages: list[tuple[str, float]] = Field(description="Knowledge that the reply rests on: (id, score).")
    version_digest: str


class SubscriberOut(Schema):
    token: str
    expires_at: datetime
    url: str


class Problem(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="A word that programs may branch on.")
    retry_after_s: int | None = None
    resets_at: datetime | None = Field(None, description="`quota_exceeded`: when the month's minutes begin anew.")
    place: int | None = Field(None, description="503: the session's place in the queue; ask again in time to keep it.")
    errors: list[dict[str, str]] | None = Field(None, description="422: which fields, and what is wrong with each.")


# The signaling socket, client → server.


class OfferMessage(Schema):
    type: Literal["offer"]
    sdp: Sdp


class CandidateMessage(CandidateIn):
    type: Literal["candidate"]


class ChatMessage(Schema):
    type: Literal["chat"]
    text: Words
    id: Annotated[str, StringConstraints(max_length=64)] = ""


class HangupMessage(Schema):
    type: Literal["hangup"]


SocketMessage = OfferMessage | CandidateMessage | ChatMessage | HangupMessage

socket_message: TypeAdapter[SocketMessage] = TypeAdapter(Annotated[SocketMessage, Field(discriminator="type")])


def errors(*statuses: int) -> dict[int, Any]:
    """The answers of an endpoint that are problems: those that any may give, and these."""
    return dict.fromkeys((401, 403, 404, 422, *statuses), Problem)
