"""Writing: tenants, members, keys."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.keys import OPERATOR, PUBLISHABLE, SECRET, SHOWN_CHARS, hash_key, new_key
from sessions_app.tenants.models import Membership, OperatorKey, PublishableKey, Role, SecretKey, Tenant, User
from sessions_app.tenants.permissions import SESSION_SCOPES, Can


@transaction.atomic
def add_member(*, tenant: Tenant, user: User, role: Role = Role.VIEWER) -> Membership:
    """Gives the user that role in the tenant (also when another one was given before), and access to the console."""
    before = Membership.objects.filter(tenant=tenant, user=user).values("role").first()
    membership, _ = Membership.objects.update_or_create(tenant=tenant, user=user, defaults={"role": role})
    if before != {"role": role}:
        after = {"email": user.email, "role": role}
        record("member.added", membership, tenant_id=tenant.pk, before=before, after=after)
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role) -> None:
    before = fields_of(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    record("membership.changed", membership, tenant_id=membership.tenant_id, before=before, after=fields_of(membership))


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """The person's login stays."""
    record("membership.deleted", membership, tenant_id=membership.tenant_id, before=fields_of(membership))
    membership.delete()


@transaction.atomic
def issue_publishable_key(
    *, tenant: Tenant, label: str, allowed_origins: list[str] | None = None, key: str = ""
) -> PublishableKey:
    """`key`: only where it must be the same each time (the demo); otherwise random."""
    row = PublishableKey.objects.create(
        tenant=tenant, label=label, allowed_origins=allowed_origins or [], key=key or new_key(PUBLISHABLE)
    )
    record("key.issued", row, tenant_id=tenant.pk, after=fields_of(row))
    return row


@transaction.atomic
def issue_secret_key(
    *,
    tenant: Tenant,
    label: str,
    scopes: Iterable[Can] = SESSION_SCOPES,
    expires_at: datetime | None = None,
    raw: str = "",
) -> tuple[SecretKey, str]:
    """The row, and the key itself: this is the only moment at which anybody sees it."""
    raw = raw or new_key(SECRET)
    row = SecretKey.objects.create(
        tenant=tenant,
        label=label,
        scopes=[can.value for can in scopes],
        expires_at=expires_at,
        prefix=raw[:SHOWN_CHARS],
        key_hash=hash_key(raw),
    )
    record("key.issued", row, tenant_id=tenant.pk, after=fields_of(row))
    return row, raw


@transaction.atomic
def issue_operator_key(*, label: str, expires_at: datetime | None = None) -> tuple[OperatorKey, str]:
    """As `issue_secret_key`, for the installation."""
    raw = new_key(OPERATOR)
    row = OperatorKey.objects.create(
        label=label, expires_at=expires_at, prefix=raw[:SHOWN_CHARS], key_hash=hash_key(raw)
    )
    record("key.issued", row, tenant_id=None, after=fields_of(row))
    return row, raw


@transaction.atomic
def revoke_key(*, key: PublishableKey | SecretKey | OperatorKey) -> None:
    """From now on the key opens nothing. Revoking twice keeps the first time."""
    if key.revoked_at is None:
        before = fields_of(key)
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record("key.revoked", key, tenant_id=getattr(key, "tenant_id", None), before=before, after=fields_of(key))
