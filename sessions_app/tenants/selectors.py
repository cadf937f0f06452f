"""Reading: principals, memberships, tenants."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from sessions_app.tenants.keys import OPERATOR, PUBLISHABLE, SECRET, hash_key
from sessions_app.tenants.models import Membership, OperatorKey, PublishableKey, Role, SecretKey, Tenant, User
from sessions_app.tenants.permissions import OPERATOR as OPERATOR_MAY
from sessions_app.tenants.permissions import PUBLISHABLE as PUBLISHABLE_MAY
from sessions_app.tenants.permissions import scopes_of
from sessions_app.tenants.principals import Principal
from sessions_app.tenants.scope import everyone

LAST_USED_GRAIN: Final = timedelta(minutes=1)
"""How exactly a key's last use is kept: not with a write for every request."""


def principal_for_key(raw: str) -> Principal | None:
    """Whom this key stands for; None when unknown, revoked or expired. Works with no scope active.

    A secret key is found by the hash of all its bits, so the time that takes tells nothing about its characters.
    """
    if not (raw.isascii() and raw.isprintable()):
        return None
    with everyone():
        if raw.startswith(SECRET):
            secret = _in_force(SecretKey, raw)
            return secret and Principal("secret", secret.tenant_id, secret.id, secret.label, scopes_of(secret.scopes))
        if raw.startswith(OPERATOR):
            own = _in_force(OperatorKey, raw)
            return own and Principal("operator", None, own.id, own.label, OPERATOR_MAY)
        if raw.startswith(PUBLISHABLE):
            return _page_key(key=raw)
    return None


def page_key_in_force(key_id: str) -> Principal | None:
    """The publishable key with this id; None when it was revoked. Works with no scope active."""
    with everyone():
        return _page_key(id=key_id)


def _page_key(**wanted: str) -> Principal | None:
    key = PublishableKey.objects.filter(revoked_at=None, **wanted).first()
    return key and Principal("publishable", key.tenant_id, key.id, key.label, PUBLISHABLE_MAY, origins_of(key))


def _in_force(kind: Any, raw: str) -> Any:
    """The row of that key, noted as used; None when unknown, revoked or expired."""
    key, now = kind.objects.filter(key_hash=hash_key(raw), revoked_at=None).first(), timezone.now()
    if key is None or (key.expires_at and key.expires_at <= now):
        return None
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_GRAIN:
        kind.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def origins_of(key: PublishableKey) -> tuple[str, ...]:
    """Where this key may be used: its own list, or else the installation's own pages."""
    return tuple(key.allowed_origins or settings.GOASSIST.origins)


def own_page_key(tenant_id: UUID | str) -> PublishableKey | None:
    """The publishable key that the installation's own pages of this tenant use. Works with no scope active."""
    with everyone():
        keys = PublishableKey.objects.filter(tenant_id=tenant_id, revoked_at=None, allowed_origins=[])
        return keys.order_by("created_at").first()


def membership_of(*, user: User, tenant_id: Any = None) -> Membership | None:
    """The user's membership in that tenant, or in the first one by name when none is named."""
    mine = memberships_of(user=user)
    return next((one for one in mine if str(one.tenant_id) == str(tenant_id)), mine[0] if mine else None)


def without_owner(tenant_id: Any) -> bool:
    """True for a tenant that nobody runs; False for an id that is none. Works with no scope active."""
    with everyone():
        try:
            there = Tenant.objects.filter(pk=tenant_id).exists()
        except ValidationError:
            return False
        return there and not Membership.objects.filter(tenant=tenant_id, role=Role.OWNER).exists()


def memberships_of(*, user: User) -> list[Membership]:
    """In all tenants, by the tenant's name. Works with no scope active."""
    with everyone():
        return list(Membership.objects.select_related("tenant").filter(user=user).order_by("tenant__name"))
