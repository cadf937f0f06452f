"""Writing: files come, and go. A row is there before its bytes and outlives them: no bytes lie about unknown."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db.models import Q
from django.utils import timezone

from sessions_app.files.models import FileState, StoredFile
from sessions_app.tenants.audit import record
from sessions_app.tenants.models import Tenant

log = structlog.get_logger(__name__)

COMING_MOST: Final = timedelta(hours=1)
"""Bytes that take longer to come were given up by whoever sent them."""
BATCH: Final = 200


def store() -> Storage:
    return storages["files"]


def bring(row: StoredFile, source: Path) -> StoredFile:
    """Puts the bytes into the store and counts them. `row`: unsaved, or one that is still coming. It is not kept until
    its owner says so (`keep`). Raises OSError, and whatever the store raises when it is away."""
    with source.open("rb") as bytes_:
        row.sha256 = hashlib.file_digest(bytes_, "sha256").hexdigest()
        row.size_bytes = bytes_.tell()
        row.state, row.created_at = FileState.COMING, timezone.now()
        row.save()
        bytes_.seek(0)
        files = store()
        files.delete(row.path)
        files.save(row.path, File(bytes_))
    return row


def keep(row: StoredFile) -> None:
    """From now on it is seen."""
    row.state = FileState.KEPT
    row.save(update_fields=["state"])


def let_go(rows: "Iterable[StoredFile] | None" = None, *, about: Iterable[str] = ()) -> int:
    """These files, or all that belong to these things, are seen no more, and deleted within a minute (`sweep`).
    Returns how many. In scope."""
    wanted = Q(pk__in=[row.pk for row in rows]) if rows is not None else Q(about__in=list(about))
    return int(StoredFile.objects.filter(wanted).update(state=FileState.GOING))


def delete(row: StoredFile) -> None:
    """By somebody's hand: let go, with an entry in the audit log."""
    let_go([row])
    record("file.deleted", row, tenant_id=row.tenant_id, before={"session": row.about, "name": row.name})


def sweep() -> int:
    """Deletes what is to go, bytes first. Returns how many files went. In everyone's scope.

    A store that is away is asked again the next time.
    """
    late = Q(state=FileState.COMING, created_at__lt=timezone.now() - COMING_MOST)
    gone = 0
    for row in StoredFile.objects.filter(Q(state=FileState.GOING) | late)[:BATCH]:
        try:
            store().delete(row.path)
        except Exception as error:  # whatever the store's library raises
            log.warning("file_not_deleted", file=row.pk, error=type(error).__name__)
            continue
        row.delete()
        gone += 1
    return gone


def sweep_closed_tenants() -> int:
    """With a tenant go the rows of its files; this finds their bytes by their folder. Returns how many files went. In
    everyone's scope."""
    files, gone = store(), 0
    for folder in _folders(files):
        if (tenant_id := _tenant_id(folder)) is None or Tenant.objects.filter(pk=tenant_id).exists():
            continue
        for name in files.listdir(folder)[1]:
            files.delete(f"{folder}/{name}")
            gone += 1
        log.info("files_of_closed_tenant_deleted", tenant_id=folder, files=gone)
    return gone


def _folders(files: Storage) -> list[str]:
    try:
        return list(files.listdir("")[0])
    except FileNotFoundError:  # nothing was ever kept
        return []


def _tenant_id(folder: str) -> UUID | None:
    try:
        return UUID(folder)
    except ValueError:
        return None
