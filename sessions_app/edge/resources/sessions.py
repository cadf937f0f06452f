"""Sessions: opened, listed, connected, typed to, read and ended. Thin: the doing is in `edge.calls`."""

from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.conf import settings
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from sessions_app.edge import calls, relays, schemas, tokens
from sessions_app.edge.addresses import socket_url
from sessions_app.edge.callers import CalledRequest, EmbedToken, Key, SessionToken
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import NotFound
from sessions_app.edge.repeats import HEADER
from sessions_app.edge.resources.scoped import in_scope
from sessions_app.edge.schemas import errors
from sessions_app.history import recordings, selectors
from sessions_app.history.models import Channel, Session
from sessions_app.operations.admission import Limit
from sessions_app.operations.seating import ensure_welcome
from sessions_app.tenants import ids
from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope

SESSION_AUTH = [SessionToken(), Key()]
router = Router(tags=["sessions"])


class SessionsWanted(Schema):
    assistant: str = Field("", max_length=64, description="Only this assistant's; id or slug.")
    visitor: str = Field("", max_length=64)
    state: Literal["new", "live", "ended"] | None = None
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None


@router.get("/sessions", auth=Key(), response={200: Page[schemas.SessionOut], **errors()})
@in_scope
def list_sessions(request: CalledRequest, wanted: Query[SessionsWanted], page: Query[PageIn]) -> dict[str, Any]:
    """The newest first."""
    request.auth.need(Can.READ_SESSIONS)
    rows = Session.objects.select_related("assistant")
    if wanted.assistant:
        by = "assistant" if ids.is_id(ids.ASSISTANT, wanted.assistant) else "assistant__slug"
        rows = rows.filter(**{by: wanted.assistant})
    if wanted.visitor:
        rows = rows.filter(visitor=wanted.visitor)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.created_after:
        rows = rows.filter(created_at__gt=wanted.created_after)
    if wanted.created_before:
        rows = rows.filter(created_at__lt=wanted.created_before)
    return page_of(rows, page, "-created_at", "-id")


@router.post("/sessions", auth=[Key(), EmbedToken()], response={201: schemas.SessionOpened, **errors(409, 429, 503)})
async def create_session(request: CalledRequest, body: schemas.SessionIn) -> Status:
    """Opens a session and answers a token for it, good for this session only. Give browsers the token, never a key."""
    session = await opened(request, body)
    token, expires_at = tokens.issue(tokens.SessionToken(session.id, str(session.tenant_id), "visitor"))
    answer = {
        "id": session.id,
        "token": token,
        "expires_at": expires_at,
        "ice_servers": relays.ice_servers(session.id),
        "urls": {
            "signaling": socket_url(request, f"/ws/v1/sessions/{session.id}/"),
            "audio": socket_url(request, f"/ws/v1/sessions/{session.id}/audio/"),
            "blendshapes": socket_url(request, f"/ws/v1/sessions/{session.id}/blendshapes"),
        },
        "recording": await sync_to_async(_to_be_asked)(session),
    }
    return Status(201, answer)


@router.get("/sessions/{session_id}", auth=SESSION_AUTH, response={200: schemas.SessionOut, **errors()})
async def read_session(request: CalledRequest, session_id: str) -> Session:
    return await session_of(request, session_id, Can.READ_SESSIONS)


@router.delete("/sessions/{session_id}", auth=SESSION_AUTH, response={204: None, **errors()})
async def end_session(request: CalledRequest, session_id: str) -> Status:
    """Hangs up. What was said stays in the history. Ending a session that has ended changes nothing."""
    await calls.hang_up(await session_of(request, session_id, Can.USE_SESSIONS), "hangup")
    return Status(204, None)


@router.get(
    "/sessions/{session_id}/ice-servers", auth=SESSION_AUTH, response={200: schemas.IceServersOut, **errors(409)}
)
async def read_ice_servers(request: CalledRequest, session_id: str) -> dict[str, Any]:
    """The servers with fresh credentials. Ask before you offer again: those of the session's creation expire soon."""
    session = await session_of(request, session_id, Can.USE_SESSIONS)
    calls.ensure_open(session)
    return {"ice_servers": relays.ice_servers(session.id)}


@router.post(
    "/sessions/{session_id}/offer",
    auth=SESSION_AUTH,
    response={200: schemas.AnswerOut, **errors(409, 429, 503)},
)
async def offer(request: CalledRequest, session_id: str, body: schemas.Description) -> dict[str, Any]:
    """Answers a WebRTC offer. Offer again to reconnect: the conversation goes on, perhaps on another machine.

    503 with `place`: all lines are taken, and the session stands in the queue; offer again after `retry_after_s`."""
    session = await session_of(request, session_id, Can.USE_SESSIONS)
    answer = await calls.take_offer(session, body.sdp, address=_address(request))
    return {"sdp": answer.sdp, "type": "answer", "leg": answer.leg}


@router.post("/sessions/{session_id}/ice-candidates", auth=SESSION_AUTH, response={204: None, **errors(409, 503)})
async def add_ice_candidate(request: CalledRequest, session_id: str, body: schemas.CandidateIn) -> Status:
    session = await session_of(request, session_id, Can.USE_SESSIONS)
    await calls.add_candidate(session, body.candidate, body.sdpMid, body.sdpMLineIndex)
    return Status(204, None)


@router.post("/sessions/{session_id}/chat", auth=SESSION_AUTH, response={200: schemas.ChatOut, **errors(409, 429, 503)})
async def chat(request: CalledRequest, session_id: str, body: schemas.ChatIn) -> dict[str, Any]:
    """Type instead of speaking; needs no WebRTC. Waits for the whole reply."""
    session = await session_of(request, session_id, Can.USE_SESSIONS)
    message_id = request.headers.get(HEADER, "")
    reply = await calls.chat(session, body.message, address=_address(request), message_id=message_id)
    return {"reply": reply.text, "turn_id": reply.turn_id}


@router.get("/sessions/{session_id}/turns", auth=SESSION_AUTH, response={200: Page[schemas.TurnOut], **errors()})
async def read_turns(request: CalledRequest, session_id: str, page: Query[PageIn]) -> dict[str, Any]:
    """What was said so far, oldest first."""
    session = await session_of(request, session_id, Can.READ_SESSIONS)
    return await sync_to_async(_turns)(session, page)


@router.post(
    "/sessions/{session_id}/subscribers",
    auth=SESSION_AUTH,
    response={201: schemas.SubscriberOut, **errors(409)},
)
async def add_subscriber(request: CalledRequest, session_id: str) -> Status:
    """A token that may watch the session's face over the blendshape websocket, and nothing else."""
    session = await session_of(request, session_id, Can.USE_SESSIONS)
    calls.ensure_open(session)
    token, expires_at = tokens.issue(tokens.SessionToken(session.id, str(session.tenant_id), "subscriber"))
    url = socket_url(request, f"/ws/v1/sessions/{session.id}/blendshapes")
    return Status(201, {"token": token, "expires_at": expires_at, "url": url})


async def opened(request: CalledRequest, wanted: schemas.SessionIn) -> Session:
    """A new session for this caller. Raises Forbidden, TooMany, Refused, and what `calls.open_session` raises."""
    caller = request.auth
    caller.need(Can.OPEN_SESSIONS)
    key = caller.name if caller.kind in {"publishable", "embedded"} else None
    if key:
        limit = Limit("new sessions", settings.GOASSIST.goassist_sessions_per_minute)
        await limit.admit(caller.tenant_id, f"key {key} at {visitor_address(request)}")
    await ensure_welcome()
    return await sync_to_async(calls.open_session)(
        caller.tenant_id,
        wanted.assistant,
        wanted.channel,
        key,
        wanted.visitor,
        only=caller.assistant_id,
        version_id=caller.version_id,
    )


async def session_of(request: CalledRequest, session_id: str, can: Can) -> Session:
    """The session asked for. Raises NotFound for one that this caller cannot know, Forbidden for what it may not do."""
    caller = request.auth
    if caller.session_id is not None and caller.session_id != session_id:
        raise NotFound("There is no such session.")
    session = await sync_to_async(calls.find_session)(caller.tenant_id, session_id)
    caller.need(can)
    return session


def _address(request: CalledRequest) -> str:
    """Of a visitor; none for a tenant's server, which asks for many of them."""
    return visitor_address(request) if request.auth.kind == "visitor" else ""


def _to_be_asked(session: Session) -> bool:
    """Whether the visitor is to be asked about a recording."""
    with tenant_scope(session.tenant_id):
        return session.channel == Channel.VOICE and recordings.are_wished(session.tenant_id)


def _turns(session: Session, page: PageIn) -> dict[str, Any]:
    with tenant_scope(session.tenant_id):
        return page_of(selectors.turns(session.id), page, "leg", "number")
