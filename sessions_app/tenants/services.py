"""Writing: tenants, members, keys."""

import secrets

from django.db import transaction
from django.utils import timezone

from sessions_app.tenants.keys import PUBLISHABLE, SECRET, SHOWN_CHARS, hash_key, new_key
from sessions_app.tenants.models import Membership, PublishableKey, Role, SecretKey, Tenant, User


@transaction.atomic
def add_member(*, tenant: Tenant, user: User, role: Role = Role.VIEWER) -> Membership:
    """Gives the user that role in the tenant (also when another one was given before), and access to the console."""
    membership, _ = Membership.objects.update_or_create(tenant=tenant, user=user, defaults={"role": role})
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    return membership


def issue_publishable_key(
    *, tenant: Tenant, label: str, allowed_origins: list[str] | None = None, key: str = ""
) -> PublishableKey:
    """`key`: only where it must be the same each time (the demo); otherwise random."""
    return PublishableKey.objects.create(
        tenant=tenant, label=label, allowed_origins=allowed_origins or [], key=key or new_key(PUBLISHABLE)
    )


def issue_secret_key(*, tenant: Tenant, label: str, raw: str = "") -> tuple[SecretKey, str]:
    """The row, and the key itself: this is the only moment at which anybody sees it."""
    raw = raw or new_key(SECRET)
    row = SecretKey.objects.create(tenant=tenant, label=label, prefix=raw[:SHOWN_CHARS], key_hash=hash_key(raw))
    return row, raw


def revoke_key(*, key: PublishableKey | SecretKey) -> None:
    """From now on the key opens nothing. Revoking twice keeps the first time."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


@transaction.atomic
def new_member(*, tenant: Tenant, email: str, role: str) -> tuple[Membership, str]:
    """The membership, and the first password when a login had to be made for it (else empty)."""
    user = User.objects.filter(email=email.lower()).first()
    password = "" if user else secrets.token_urlsafe(12)
    user = user or User.objects.create_user(email, password)
    return add_member(tenant=tenant, user=user, role=Role(role)), password
