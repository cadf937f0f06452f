"""Writing: a session's life as the office knows it. What was said and told comes through `history.journal`."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.history import announcements
from sessions_app.history.journal import apply_records
from sessions_app.history.models import Session, SessionState

__all__ = (
    "apply_records",
    "attach",
    "create_session",
    "end_session",
    "end_silent_sessions",
    "next_leg",
    "touch",
)


def create_session(
    *,
    tenant_id: UUID | str,
    assistant: Assistant,
    version: AssistantVersion,
    channel: str = "voice",
    publishable_key: str | None = None,
    visitor: str = "",
) -> Session:
    """`publishable_key`: the id of the key that a page opened it with. `visitor`: the tenant's own id of whom it is."""
    return Session.objects.create(
        tenant_id=UUID(str(tenant_id)), assistant=assistant, version=version, channel=channel,
        publishable_key_id=publishable_key, visitor=visitor, trial=version.trial,
    )  # fmt: skip


@transaction.atomic
def next_leg(*, session_id: str) -> int:
    """The number of the connection that is offered now, from 1. Two offers at once get two numbers.

    Raises Session.DoesNotExist.
    """
    session = Session.objects.select_for_update().get(pk=session_id)
    session.leg += 1
    session.save(update_fields=["leg"])
    return session.leg


@transaction.atomic
def attach(*, session_id: str, leg: int, mailbox: str, worker: str) -> bool:
    """A worker took this leg. False: a later leg was offered meanwhile, or the session has ended."""
    rows = Session.objects.filter(pk=session_id, leg=leg).exclude(state=SessionState.ENDED)
    now = timezone.now()
    first = rows.filter(connected_at=None).update(connected_at=now)
    changed = rows.update(mailbox=mailbox, worker=worker, state=SessionState.LIVE, last_seen_at=now)
    if first:
        announcements.session_started(session_id)
    return bool(changed)


@transaction.atomic
def end_session(*, session_id: str, reason: str, leg: int | None = None) -> bool:
    """`leg`: only while this is its last one. False: it had ended already (its first reason stays), has a later leg, or
    there is no such session in scope."""
    rows = Session.objects.filter(pk=session_id).exclude(state=SessionState.ENDED)
    if leg is not None:
        rows = rows.filter(leg=leg)
    ended = rows.update(
        state=SessionState.ENDED, end_reason=reason[:40], ended_at=timezone.now(), mailbox="", worker=""
    )
    if ended:
        announcements.sessions_ended([session_id])
    return bool(ended)


LOST = "lost"
"""Why a session ended that nobody has heard of: its worker died, or its news could not be written."""


def touch(session_ids: Iterable[str]) -> int:
    """These sessions are alive now; one that was given up while the database was away lives again."""
    rows = Session.objects.filter(pk__in=list(session_ids))
    rows.filter(state=SessionState.ENDED, end_reason=LOST).update(state=SessionState.LIVE, end_reason="", ended_at=None)
    return rows.exclude(state=SessionState.ENDED).update(last_seen_at=timezone.now())


@transaction.atomic
def end_silent_sessions(*, state: SessionState, silent_s: float, reason: str) -> int:
    """Ends the sessions in scope, in this state, that nobody has heard of for so long; returns how many."""
    silent = Session.objects.filter(state=state, last_seen_at__lt=timezone.now() - timedelta(seconds=silent_s))
    ids = list(silent.select_for_update(skip_locked=True).values_list("pk", flat=True))
    if ids:
        ended = {"state": SessionState.ENDED, "end_reason": reason, "ended_at": timezone.now()}
        Session.objects.filter(pk__in=ids).update(**ended)
        announcements.sessions_ended(ids)
    return len(ids)
