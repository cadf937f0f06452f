"""The session API (`/api/v1`). Thin: who calls, what is asked, what is answered; the doing is in `calls`."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from ninja import NinjaAPI, Status
from ninja.openapi.docs import Swagger

from sessions_app.edge import calls, problems, schemas, tokens
from sessions_app.edge.addresses import socket_url
from sessions_app.edge.callers import CalledRequest, Key, SessionToken
from sessions_app.edge.problems import NotFound
from sessions_app.history import selectors
from sessions_app.history.models import Session
from sessions_app.operations.admission import Limit
from sessions_app.operations.seating import ensure_welcome
from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope

SESSION_AUTH = [SessionToken(), Key()]


def errors(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((401, 403, 404, 422, *statuses), schemas.Problem)


api = NinjaAPI(
    title="GoAssist session API",
    version="1",
    description="Open a session with an assistant, connect to it, type to it, read what was said.",
    urls_namespace="api",
    parser=problems.JsonParser(),
    docs=Swagger(settings={"persistAuthorization": False, "validatorUrl": None}),
)
problems.install(api)


@api.post("/sessions", auth=Key(), response={201: schemas.SessionOpened, **errors(409, 429, 503)}, tags=["sessions"])
async def create_session(request: CalledRequest, body: schemas.SessionIn) -> Status:
    """Opens a session and answers a token for it, good for this session only. Give browsers the token, never a key."""
    caller = request.auth
    caller.need(Can.OPEN_SESSIONS)
    key = caller.name if caller.kind == "publishable" else None
    if key:
        limit = Limit("new sessions", settings.GOASSIST.goassist_sessions_per_minute)
        await limit.admit(caller.tenant_id, f"key {key} at {visitor_address(request)}")
    await ensure_welcome()
    session = await sync_to_async(calls.open_session)(caller.tenant_id, body.assistant, body.channel, key)
    token, expires_at = tokens.issue(tokens.SessionToken(str(session.id), str(session.tenant_id), "visitor"))
    opened = {
        "id": session.id,
        "token": token,
        "expires_at": expires_at,
        "ice_servers": settings.GOASSIST.goassist_ice_servers,
        "urls": {
            "signaling": socket_url(request, f"/ws/v1/sessions/{session.id}/"),
            "audio": socket_url(request, f"/ws/v1/sessions/{session.id}/audio/"),
            "blendshapes": socket_url(request, f"/ws/v1/sessions/{session.id}/blendshapes"),
        },
    }
    return Status(201, opened)


@api.get("/sessions/{uuid:session_id}", auth=SESSION_AUTH, response={200: schemas.SessionOut, **errors()})
async def read_session(request: CalledRequest, session_id: UUID) -> dict[str, Any]:
    session = await _session(request, session_id, Can.READ_SESSIONS)
    fields = ("id", "channel", "state", "leg", "created_at", "last_seen_at", "ended_at", "end_reason")
    return {
        "assistant": session.assistant_id,
        "assistant_slug": session.assistant.slug,
        **{name: getattr(session, name) for name in fields},
    }


@api.delete("/sessions/{uuid:session_id}", auth=SESSION_AUTH, response={204: None, **errors()})
async def end_session(request: CalledRequest, session_id: UUID) -> Status:
    """Hangs up. What was said stays in the history. Ending a session that has ended changes nothing."""
    await calls.hang_up(await _session(request, session_id, Can.USE_SESSIONS), "hangup")
    return Status(204, None)


@api.post(
    "/sessions/{uuid:session_id}/offer",
    auth=SESSION_AUTH,
    response={200: schemas.AnswerOut, **errors(409, 429, 503)},
)
async def offer(request: CalledRequest, session_id: UUID, body: schemas.Description) -> dict[str, Any]:
    """Answers a WebRTC offer. Offer again to reconnect: the conversation goes on, perhaps on another machine.

    503 with `place`: all lines are taken, and the session stands in the queue; offer again after `retry_after_s`."""
    session = await _session(request, session_id, Can.USE_SESSIONS)
    answer = await calls.take_offer(session, body.sdp, address=_address(request))
    return {"sdp": answer.sdp, "type": "answer", "leg": answer.leg}


@api.post("/sessions/{uuid:session_id}/ice-candidates", auth=SESSION_AUTH, response={204: None, **errors(409, 503)})
async def add_ice_candidate(request: CalledRequest, session_id: UUID, body: schemas.CandidateIn) -> Status:
    session = await _session(request, session_id, Can.USE_SESSIONS)
    await calls.add_candidate(session, body.candidate, body.sdpMid, body.sdpMLineIndex)
    return Status(204, None)


@api.post(
    "/sessions/{uuid:session_id}/chat", auth=SESSION_AUTH, response={200: schemas.ChatOut, **errors(409, 429, 503)}
)
async def chat(request: CalledRequest, session_id: UUID, body: schemas.ChatIn) -> dict[str, Any]:
    """Type instead of speaking; needs no WebRTC. Waits for the whole reply."""
    session = await _session(request, session_id, Can.USE_SESSIONS)
    reply = await calls.chat(session, body.message, address=_address(request))
    return {"reply": reply.text, "turn_id": reply.turn_id}


@api.get("/sessions/{uuid:session_id}/turns", auth=SESSION_AUTH, response={200: list[schemas.TurnOut], **errors()})
async def read_turns(request: CalledRequest, session_id: UUID) -> list[Any]:
    """What was said so far, oldest first."""
    session = await _session(request, session_id, Can.READ_SESSIONS)
    return await sync_to_async(_turns)(session)


@api.post(
    "/sessions/{uuid:session_id}/subscribers",
    auth=SESSION_AUTH,
    response={201: schemas.SubscriberOut, **errors(409)},
)
async def add_subscriber(request: CalledRequest, session_id: UUID) -> Status:
    """A token that may watch the session's face over the blendshape websocket, and nothing else."""
    session = await _session(request, session_id, Can.USE_SESSIONS)
    calls.ensure_open(session)
    token, expires_at = tokens.issue(tokens.SessionToken(str(session.id), str(session.tenant_id), "subscriber"))
    url = socket_url(request, f"/ws/v1/sessions/{session.id}/blendshapes")
    return Status(201, {"token": token, "expires_at": expires_at, "url": url})


async def _session(request: CalledRequest, session_id: UUID, can: Can) -> Session:
    """The session asked for. Raises NotFound for one that this caller cannot know, Forbidden for what it may not do."""
    caller = request.auth
    if caller.session_id is not None and caller.session_id != str(session_id):
        raise NotFound("There is no such session.")
    session = await sync_to_async(calls.find_session)(caller.tenant_id, session_id)
    caller.need(can)
    return session


def _address(request: CalledRequest) -> str:
    """Of a visitor; none for a tenant's server, which asks for many of them."""
    return visitor_address(request) if request.auth.kind == "visitor" else ""


def _turns(session: Session) -> list[Any]:
    with tenant_scope(session.tenant_id):
        return list(selectors.turns(session.id))
