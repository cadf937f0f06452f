"""A request that is sent again is not done again: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07).

The first answer is kept for a day, encrypted (it may hold a new key, or what was said), and answered again to the same
caller. Only what was done is kept: a refusal or a failure frees the key, so that trying again is trying.
"""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.operations.models import IdempotentAnswer
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.sealing import box

KEPT: Final = timedelta(hours=24)
ABANDONED: Final = timedelta(minutes=2)
"""A request without an answer for so long lost its process: its key is free."""
MAX_KEY_CHARS: Final = 128
PURPOSE: Final = "idempotency"


@dataclass(frozen=True, slots=True)
class Claim:
    """`tenant_id`: empty for the installation's operator. `number`: the row's."""

    tenant_id: str
    number: int


class Replay(Exception):
    """It was done already; this is what was answered."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("done already")
        self.status, self.body = status, body


class StillRunning(Exception):
    """The first request with this key has not been answered yet."""


class KeyReused(Exception):
    """The key came with another request before."""


def claim(*, tenant_id: str, caller: str, key: str, request: bytes) -> Claim:
    """`caller`: a key's or a session's id. `request`: all that makes two requests the same.

    Raises Replay, StillRunning, KeyReused.
    """
    asked = {"caller": caller, "key_hash": hashlib.sha256(key.encode()).hexdigest()}
    fingerprint = hashlib.sha256(request).hexdigest()
    tenant = UUID(tenant_id) if tenant_id else None
    with _scope(tenant_id):
        for _ in range(2):
            try:
                with transaction.atomic():
                    row = IdempotentAnswer.objects.create(
                        tenant_id=tenant, fingerprint=fingerprint, created_at=timezone.now(), **asked
                    )
                    return Claim(tenant_id, row.pk)
            except IntegrityError:
                _judge(IdempotentAnswer.objects.filter(tenant_id=tenant, **asked).first(), fingerprint)
    raise StillRunning


def _judge(row: IdempotentAnswer | None, fingerprint: str) -> None:
    """Returns when the key is free (again). Raises as `claim` does."""
    if row is None:
        return
    age = timezone.now() - row.created_at
    if age > KEPT or (row.status is None and age > ABANDONED):
        IdempotentAnswer.objects.filter(pk=row.pk, created_at=row.created_at).delete()
        return
    if row.fingerprint != fingerprint:
        raise KeyReused
    if row.status is None:
        raise StillRunning
    try:
        body = box(PURPOSE).decrypt(bytes(row.body))
    except InvalidToken:  # SECRET_KEY was changed meanwhile: that it was done is still known
        body = b""
    raise Replay(row.status, body)


def keep(claim: Claim, status: int, body: bytes) -> None:
    with _scope(claim.tenant_id):
        IdempotentAnswer.objects.filter(pk=claim.number).update(status=status, body=box(PURPOSE).encrypt(body))


def free(claim: Claim) -> None:
    with _scope(claim.tenant_id):
        IdempotentAnswer.objects.filter(pk=claim.number, status=None).delete()


def forget_old() -> int:
    """Takes out what nobody may ask for any more; returns how many. In the scope of everyone."""
    return int(IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0])


def _scope(tenant_id: str) -> AbstractContextManager[None]:
    scope: AbstractContextManager[None] = tenant_scope(tenant_id) if tenant_id else everyone()
    return scope
