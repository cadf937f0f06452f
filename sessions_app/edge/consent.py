"""A visitor's word on being recorded, on its way to the row and to the worker that has the call."""

from channels.db import database_sync_to_async

from pipeline.contracts import wire
from pipeline.contracts.errors import PipelineError
from sessions_app import switchboard
from sessions_app.edge.problems import Conflict
from sessions_app.history import recordings
from sessions_app.history.models import Session
from sessions_app.operations.admission import ensure_going
from sessions_app.tenants.scope import tenant_scope


async def record(session: Session, *, agreed: bool) -> None:
    """The visitor agrees to be recorded, or does not (any more): what was recorded is deleted then, also of a session
    that is over. A worker that cannot be told deletes it when it hands it in.

    Raises SessionOver, and Conflict for consent to what is not recorded.
    """
    if agreed:
        ensure_going(state=session.state, end_reason=session.end_reason, created_at=session.created_at)
    try:
        mailbox = await database_sync_to_async(_say)(session, agreed)
    except recordings.NotRecorded as error:
        raise Conflict(str(error)) from error
    if mailbox:
        await tell(session, mailbox, agreed)


async def tell(session: Session, mailbox: str, on: bool) -> None:
    """Says it to the worker. One that is gone needs no telling."""
    try:
        await switchboard.tell(mailbox, wire.Record(session.id, on))
    except PipelineError:
        return


def is_recorded(session: Session) -> bool:
    """Whether a connection of it is to be, as things stand. In scope."""
    session.refresh_from_db(fields=["recording"])
    return recordings.may_be_made(session)


def _say(session: Session, agreed: bool) -> str:
    """Returns the mailbox of the worker that has the session now."""
    with tenant_scope(session.tenant_id):
        (recordings.agree if agreed else recordings.refuse)(session_id=session.id)
        session.refresh_from_db(fields=["mailbox"])
        return session.mailbox
