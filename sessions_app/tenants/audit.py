"""Who changed what: entries that are written with the change, in its transaction, and never again.

Each entry carries the SHA-256 of itself and of the entry before it in its chain (a tenant's, or the installation's), so
that one that was altered or taken out shows (`broken`). What people and pages write goes through `acting`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from sessions_app.tenants.models import AuditEntry

TRIES: Final = 20
"""Somebody else's entry may take the number first."""
HIDDEN: Final = frozenset({"password", "key_hash", "token_hash", "key", "secret", "previous_secret"})
"""Fields of which only the fact that they changed is kept."""
INSTALLATION: Final = "installation"


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind`: user, operator, key or system. `name`: an e-mail address, a key's label; `ref`: the row's id."""

    kind: str
    name: str
    ref: str = ""
    request_id: str = ""
    address: str = ""


SYSTEM: Final = Actor("system", "GoAssist")
_actor: ContextVar[Actor] = ContextVar("audit_actor", default=SYSTEM)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What is written meanwhile was done by this one."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def record(
    action: str,
    target: models.Model,
    *,
    tenant_id: UUID | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> AuditEntry:
    """Writes an entry on `tenant_id`'s chain, or the installation's. `action`: "assistant.published".

    `before` and `after`: fields (`fields_of`); what is the same in both is left out.
    """
    was, now = changed(before or {}, after or {})
    actor = _actor.get()
    entry = AuditEntry(
        tenant_id=tenant_id,
        chain=str(tenant_id or INSTALLATION),
        at=timezone.now(),
        actor_kind=actor.kind,
        actor=actor.name,
        actor_ref=actor.ref,
        request_id=actor.request_id,
        address=actor.address,
        action=action,
        target_kind=target._meta.model_name or "",
        target_ref=str(target.pk),
        target=str(target)[:200],
        before=was,
        after=now,
        note=note,
    )
    _append(entry)
    return entry


def _append(entry: AuditEntry) -> None:
    for _ in range(TRIES):
        last = AuditEntry.objects.filter(chain=entry.chain).order_by("-number").first()
        entry.number = last.number + 1 if last else 1
        entry.previous = last.digest if last else ""
        entry.digest = digest_of(entry)
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
                return
        except IntegrityError:
            entry.pk = None
    raise RuntimeError(f"the audit chain {entry.chain} is too busy: {TRIES} entries came first")


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 of the entry's fields and its predecessor's digest, as canonical JSON (RFC 8785's order and spacing)."""
    kept = {name: getattr(entry, name) for name in AuditEntry.SEALED}
    return hashlib.sha256(json.dumps(plain(kept), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken(chain: str) -> int | None:
    """The number of the first entry that does not fit; None for a chain that is whole. In scope."""
    previous, expected = "", 1
    for entry in AuditEntry.objects.filter(chain=chain).order_by("number").iterator():
        if (entry.number, entry.previous, entry.digest) != (expected, previous, digest_of(entry)):
            return expected
        previous, expected = entry.digest, expected + 1
    return None


def fields_of(row: models.Model) -> dict[str, Any]:
    """A row's own fields as an entry keeps them."""
    return {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of both differs, as JSON; the values of secrets are not told."""
    names = [name for name in {**before, **after} if plain(before.get(name)) != plain(after.get(name))]
    return _told(before, names), _told(after, names)


def _told(fields: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: "(hidden)" if name in HIDDEN else plain(fields[name]) for name in names if name in fields}


def plain(value: Any) -> Any:
    """As JSON can keep it."""
    match value:
        case Mapping():
            return {str(name): plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
    return str(value)
