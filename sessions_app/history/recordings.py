"""Recordings of calls: whether to make one, what the visitor says to it, and what of it is kept for how long."""

from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from pipeline.contracts.recording import Recording
from sessions_app.files import services as files
from sessions_app.files.models import FileState, Purpose, StoredFile
from sessions_app.files.selectors import kept
from sessions_app.history.models import Consent, Privacy, Session
from sessions_app.tenants.ids import SESSION, is_id
from sessions_app.tenants.scope import everyone, tenant_scope

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "audio/ogg"
"""RFC 7845, section 9."""


class NotRecorded(ValueError):
    """The tenant does not record, so there is nothing to agree to."""


def are_wished(tenant_id: UUID) -> bool:
    """Whether this tenant wants its calls recorded. In its scope."""
    return bool(Privacy.objects.filter(tenant=tenant_id, recordings=True).exists())


def may_be_made(session: Session) -> bool:
    """The tenant wishes it and the visitor has agreed. In scope; `session` as it is now."""
    return session.recording == Consent.AGREED and are_wished(session.tenant_id)


@transaction.atomic
def agree(*, session_id: str) -> None:
    """The visitor does. Twice is once. Raises NotRecorded, Session.DoesNotExist. In scope."""
    session = Session.objects.select_for_update().get(pk=session_id)
    if not are_wished(session.tenant_id):
        raise NotRecorded("Calls are not recorded here.")
    _say(session, Consent.AGREED)


@transaction.atomic
def refuse(*, session_id: str) -> None:
    """The visitor does not, or not any more: what was recorded goes. Twice is once. In scope."""
    session = Session.objects.select_for_update().get(pk=session_id)
    _say(session, Consent.REFUSED)
    files.let_go(about=[session_id])


def _say(session: Session, said: Consent) -> None:
    if session.recording != said:
        session.recording, session.recording_at = said, timezone.now()
        session.save(update_fields=["recording", "recording_at"])


def of(session: Session) -> list[StoredFile]:
    """In the order in which they were made. In scope."""
    return list(kept().filter(purpose=Purpose.RECORDING, about=session.pk).order_by("starts_ms"))


def keep(recording: Recording, path: Path, length_ms: int) -> None:
    """From a worker's disk into the store: the same one twice is there once. One that nobody may keep (its session was
    deleted, its visitor does not agree any more) is left where it is, for the worker to delete. Raises what the
    database and the store raise when they are away."""
    session_id = recording.session_id if is_id(SESSION, recording.session_id) else None
    with tenant_scope(recording.tenant_id):
        if session_id is None or not _is_agreed(session_id):
            log.info("recording_not_kept", session_id=recording.session_id)
            return
        row = _row(recording, length_ms)
        if row.state == FileState.KEPT:
            return
        files.bring(row, path)
        with transaction.atomic():
            if _is_agreed(session_id):
                files.keep(row)
            else:
                files.let_go([row])


def _is_agreed(session_id: str) -> bool:
    """In a transaction: held, so that nothing changes about it until the end."""
    with transaction.atomic():
        said = Session.objects.select_for_update().filter(pk=session_id).values_list("recording", flat=True).first()
    return said == Consent.AGREED


def _row(recording: Recording, length_ms: int) -> StoredFile:
    name = f"{recording.name}.ogg"
    return StoredFile.objects.filter(name=name).first() or StoredFile(
        tenant_id=UUID(recording.tenant_id),
        purpose=Purpose.RECORDING,
        about=recording.session_id,
        name=name,
        content_type=CONTENT_TYPE,
        starts_ms=recording.t_audio_ms,
        length_ms=length_ms,
    )


def forget_old() -> int:
    """Lets go of recordings that are older than their tenant keeps them; returns how many."""
    with everyone():
        limits = list(Privacy.objects.values_list("tenant", "recording_days"))
    gone = 0
    for tenant_id, days in limits:
        with tenant_scope(tenant_id):
            old = kept().filter(purpose=Purpose.RECORDING, created_at__lt=timezone.now() - timedelta(days=days))
            gone += files.let_go(old)
    return gone
