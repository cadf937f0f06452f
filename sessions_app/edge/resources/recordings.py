"""What a visitor says to being recorded. Thin: the doing is in `edge.consent`."""

from ninja import Router, Status

from sessions_app.edge import consent
from sessions_app.edge.callers import CalledRequest
from sessions_app.edge.resources.sessions import SESSION_AUTH, session_of
from sessions_app.edge.schemas import errors
from sessions_app.tenants.permissions import Can

router = Router(tags=["sessions"], auth=SESSION_AUTH)


@router.put("/sessions/{session_id}/recording", response={204: None, **errors(409)})
async def agree_to_recording(request: CalledRequest, session_id: str) -> Status:
    """The visitor was asked and agrees: the call is recorded from now on. Twice is once. 409 where the tenant does not
    record: the session's opening said so (`recording`)."""
    await consent.record(await session_of(request, session_id, Can.USE_SESSIONS), agreed=True)
    return Status(204, None)


@router.delete("/sessions/{session_id}/recording", response={204: None, **errors()})
async def refuse_recording(request: CalledRequest, session_id: str) -> Status:
    """The visitor does not want it, or not any more: recording stops, and what was recorded is deleted, also after the
    call. Refusing twice changes nothing."""
    await consent.record(await session_of(request, session_id, Can.USE_SESSIONS), agreed=False)
    return Status(204, None)
