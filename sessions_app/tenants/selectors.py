"""Reading: principals, memberships, tenants."""

from typing import Any
from uuid import UUID

from django.conf import settings

from sessions_app.tenants.keys import PUBLISHABLE, SECRET, hash_key
from sessions_app.tenants.models import Membership, PublishableKey, SecretKey, User
from sessions_app.tenants.principals import Principal
from sessions_app.tenants.scope import everyone


def principal_for_key(raw: str) -> Principal | None:
    """Whom this key stands for; None when unknown or revoked. Works with no scope active.

    A secret key is found by the hash of all its bits, so the time that takes tells nothing about its characters.
    """
    if not (raw.isascii() and raw.isprintable()):
        return None
    with everyone():
        if raw.startswith(SECRET):
            secret = SecretKey.objects.filter(key_hash=hash_key(raw), revoked_at=None).first()
            return Principal("secret", secret.tenant_id, secret.id) if secret else None
        if raw.startswith(PUBLISHABLE):
            key = PublishableKey.objects.filter(key=raw, revoked_at=None).first()
            return Principal("publishable", key.tenant_id, key.id, origins_of(key)) if key else None
    return None


def origins_of(key: PublishableKey) -> tuple[str, ...]:
    """Where this key may be used: its own list, or else the installation's own pages."""
    return tuple(key.allowed_origins or settings.GOASSIST.origins)


def page_key(tenant_id: UUID | str) -> str | None:
    """The publishable key that the installation's own pages of this tenant use."""
    with everyone():
        keys = PublishableKey.objects.filter(tenant_id=tenant_id, revoked_at=None, allowed_origins=[])
        return keys.order_by("created_at").values_list("key", flat=True).first()


def membership_of(*, user: User, tenant_id: Any = None) -> Membership | None:
    """The user's membership in that tenant, or in the first one by name when none is named."""
    mine = memberships_of(user=user)
    return next((one for one in mine if str(one.tenant_id) == str(tenant_id)), mine[0] if mine else None)


def memberships_of(*, user: User) -> list[Membership]:
    """In all tenants, by the tenant's name. Works with no scope active."""
    with everyone():
        return list(Membership.objects.select_related("tenant").filter(user=user).order_by("tenant__name"))
