"""Visitors, as a tenant names them: erased with all that they said."""

from asgiref.sync import sync_to_async
from ninja import Path, Router, Schema

from sessions_app.edge import calls
from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.problems import NotFound
from sessions_app.edge.resources.scoped import in_scope
from sessions_app.edge.schemas import Visitor, errors
from sessions_app.history.erasure import erase, sessions_of
from sessions_app.history.models import Session, SessionState
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope

router = Router(tags=["visitors"], auth=Key())


class Erased(Schema):
    sessions: int


@router.delete("/visitors/{visitor}", response={200: Erased, **errors(503)})
async def erase_visitor(request: CalledRequest, visitor: Path[Visitor]) -> dict[str, int]:
    """Ends their sessions and deletes them, with every word. Figures of usage stay; the audit log says it was done.

    `visitor`: as their sessions were opened with.
    """
    theirs = await sync_to_async(_theirs)(request, visitor)
    for session in theirs:
        if session.state != SessionState.ENDED:
            await calls.hang_up(session, "erased")
    return {"sessions": await _erased(request, theirs)}


def _theirs(request: CalledRequest, visitor: str) -> list[Session]:
    """Raises NotFound, Forbidden."""
    with tenant_scope(request.auth.tenant_id):
        theirs = sessions_of(visitor)
    if not theirs:
        raise NotFound("There is no such visitor.")
    request.auth.need(Can.ERASE_VISITORS)
    return theirs


@in_scope
def _erased(request: CalledRequest, theirs: list[Session]) -> int:
    return erase(theirs)
