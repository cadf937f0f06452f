"""Connecting by WHIP (RFC 9725): SDP in, SDP out, candidates by PATCH, DELETE hangs up. The doing is in `edge.calls`.

Where a client knows one address and one bearer only, the session is opened and connected in one step.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from ninja import Path, Router, Status
from ninja.errors import HttpError

from pipeline.contracts.errors import MediaError
from sessions_app.edge import calls, relays, schemas, sdpfrag, whip
from sessions_app.edge.callers import CalledRequest, EmbedToken, Key, SessionToken
from sessions_app.edge.problems import NotFound, problem
from sessions_app.edge.resources import sessions
from sessions_app.edge.schemas import errors
from sessions_app.history.models import Session
from sessions_app.operations.seating import Queued, Refused
from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.permissions import Can

router = Router(tags=["whip"])
WHIP_AUTH = [SessionToken(), Key(), EmbedToken()]
NO_LINE = "All lines are taken. Please try again later."
NO_RESTART = "This connection's ICE cannot be restarted. Send a new offer: the conversation goes on."


def _body(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


OFFERED: dict[str, Any] = _body(whip.SDP) | {
    "responses": {
        201: {
            "description": "Connected: the SDP answer, with all candidates.",
            "content": {whip.SDP: {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "Location": _header("The connection: PATCH candidates to it, DELETE it to hang up."),
                "ETag": _header("Of its ICE session; `If-Match` of the candidates."),
                "Link": _header('STUN and TURN servers, each `<turn:…>; rel="ice-server"; username=…; credential=…`.'),
                "Accept-Patch": _header(f"`{whip.FRAGMENT}`"),
            },
        }
    }
}
IF_MATCH = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}


@router.post(
    "/sessions/{session_id}/whip", auth=WHIP_AUTH, response={201: None, **errors(409, 429, 503)}, openapi_extra=OFFERED
)
async def whip_offer(request: CalledRequest, session_id: str) -> HttpResponse:
    """Connects a session by WHIP. Offer again to reconnect: the conversation goes on, perhaps on another machine.

    503 with `place`: all lines are taken, and the session stands in the queue; offer again after `Retry-After`."""
    session = await _session(request, session_id)
    return await _connected(request, session, _offer(request))


@router.post(
    "/whip/{assistant_id}",
    auth=[Key(), EmbedToken()],
    response={201: None, **errors(409, 429, 503)},
    openapi_extra=OFFERED,
)
async def whip_open(request: CalledRequest, assistant_id: Path[schemas.Name]) -> HttpResponse:
    """Opens a session with an assistant (id or slug) and connects it, in one step.

    Who is refused has no session, and no place in the queue: to wait in line, open the session first."""
    request.auth.need(Can.OPEN_SESSIONS)
    sdp = _offer(request)
    session = await sessions.opened(request, schemas.SessionIn(assistant=assistant_id, visitor=""))
    try:
        return await _connected(request, session, sdp)
    except BaseException as error:  # also when the caller goes away: nobody else knows of this session
        await calls.hang_up(await sync_to_async(calls.find_session)(str(session.tenant_id), session.id), "hangup")
        if isinstance(error, Queued):
            raise Refused(NO_LINE) from error
        raise


@router.patch(
    "/sessions/{session_id}/whip/{leg}",
    auth=WHIP_AUTH,
    response={204: None, **errors(409, 412, 428, 503)},
    openapi_extra={**_body(whip.FRAGMENT), "parameters": [IF_MATCH]},
)
async def whip_trickle(request: CalledRequest, session_id: str, leg: int) -> Status | HttpResponse:
    """Candidates of the client (RFC 8840). ICE is not restarted this way (422): send a new offer instead."""
    session = await _session(request, session_id)
    fragment = sdpfrag.parse(_text(request, whip.FRAGMENT))
    if_match = request.headers.get("If-Match")
    if if_match is None:
        raise HttpError(428, "Send `If-Match` with the ETag that the answer came with.")
    calls.ensure_open(session)
    if leg != session.leg:
        raise NotFound("This connection is over, or never was.")
    if not whip.is_meant(if_match, whip.entity_tag(session.id, leg)):
        raise HttpError(412, "`If-Match` does not have the ETag of this connection.")
    if if_match.strip() == "*" and fragment.has_credentials:
        return problem(422, NO_RESTART, code="no_ice_restart")
    for each in fragment.candidates:
        await calls.add_candidate(session, each.candidate, each.mid, None)
    return Status(204, None)


@router.delete("/sessions/{session_id}/whip/{leg}", auth=WHIP_AUTH, response={204: None, **errors()})
async def whip_hang_up(request: CalledRequest, session_id: str, leg: int) -> Status:
    """Ends the session, unless it has been connected anew meanwhile: then this connection is over already."""
    await calls.hang_up(await _session(request, session_id), "hangup", leg)
    return Status(204, None)


async def _session(request: CalledRequest, session_id: str) -> Session:
    """Raises NotFound and Forbidden. A page's key, or a token made from it, may use what was opened with it."""
    caller = request.auth
    if caller.kind not in {"publishable", "embedded"}:
        return await sessions.session_of(request, session_id, Can.USE_SESSIONS)
    session = await sync_to_async(calls.find_session)(caller.tenant_id, session_id)
    if session.publishable_key_id != caller.name or caller.assistant_id not in {None, str(session.assistant_id)}:
        caller.need(Can.USE_SESSIONS)
    return session


def _offer(request: CalledRequest) -> str:
    sdp = _text(request, whip.SDP)
    if not sdp.strip():
        raise MediaError("The offer is empty.")
    return sdp


def _text(request: CalledRequest, media_type: str) -> str:
    """The body. Raises HttpError: 415, 413, 400."""
    if request.content_type != media_type:
        raise HttpError(415, f"Send `Content-Type: {media_type}`.")
    try:
        text = request.body.decode()
    except UnicodeDecodeError as error:
        raise HttpError(400, "The body is not UTF-8.") from error
    if len(text) > schemas.MAX_SDP_CHARS:
        raise HttpError(413, f"No SDP here needs more than {schemas.MAX_SDP_CHARS:,} characters.")
    return text


async def _connected(request: CalledRequest, session: Session, sdp: str) -> HttpResponse:
    """Raises what `calls.take_offer` raises."""
    of_a_page = request.auth.kind in {"visitor", "publishable", "embedded"}
    address = visitor_address(request) if of_a_page else ""
    answer = await calls.take_offer(session, sdp, address=address, transport="whip")
    response = HttpResponse(answer.sdp, status=201, content_type=whip.SDP)
    response["Location"] = whip.location(session.id, answer.leg)
    response["ETag"] = whip.entity_tag(session.id, answer.leg)
    response["Accept-Patch"] = whip.FRAGMENT
    if link := relays.link_header(session.id):
        response["Link"] = link
    return response
