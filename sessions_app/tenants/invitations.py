"""Invitations: how people become members. The link goes by mail, and is shown once to whoever invites."""

import hashlib
import secrets
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.models import Invitation, Membership, Role, Tenant, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import add_member, issue_publishable_key

log = structlog.get_logger(__name__)

VALID: Final = timedelta(days=7)
OWN_PAGES: Final = "Our pages on this installation"
TEXT: Final = """{who} invites you to {tenant} on GoAssist, as {role}.

{link}

The link is yours alone and works until {until:%d %B %Y}. Whoever does not know what this is about need do nothing.
"""


@transaction.atomic
def open_tenant(*, name: str, slug: str, owner: str, by: str = "Somebody") -> tuple[Tenant, str]:
    """A new business, and the link for the person (an e-mail address) who will run it. In the scope of everyone. The
    installation's audit log tells. Its pages here work at once: they have their key."""
    tenant = Tenant.objects.create(name=name, slug=slug)
    issue_publishable_key(tenant=tenant, label=OWN_PAGES)
    _, link = invite(tenant=tenant, email=owner, role=Role.OWNER, by=by)
    record("tenant.opened", tenant, tenant_id=None, after={**fields_of(tenant), "owner": owner.lower()})
    return tenant, link


@transaction.atomic
def invite(*, tenant: Tenant, email: str, role: Role, by: str = "Somebody") -> tuple[Invitation, str]:
    """The invitation, and its link: this is the only moment at which anybody can see it. An earlier one to the same
    address is taken back. Mailed once the transaction is through."""
    earlier = Invitation.objects.filter(tenant=tenant, email=email.lower(), accepted_at=None, revoked_at=None)
    earlier.update(revoked_at=timezone.now())
    raw = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        tenant=tenant, email=email.lower(), role=role, token_hash=_hash(raw), expires_at=timezone.now() + VALID
    )
    record("member.invited", row, tenant_id=tenant.pk, after=fields_of(row))
    link = settings.GOASSIST.origins[0] + reverse("account_invitation", args=[raw])
    transaction.on_commit(lambda: _mail(row, link, by))
    return row, link


def _mail(invitation: Invitation, link: str, by: str) -> None:
    """Who invites holds the link, too: a mail that cannot be sent costs no invitation."""
    about = {"who": by, "tenant": invitation.tenant, "role": invitation.role, "link": link}
    text = TEXT.format(**about, until=invitation.expires_at)
    try:
        send_mail(f"GoAssist: {invitation.tenant}", text, None, [invitation.email])
    except (OSError, SMTPException) as error:
        log.warning("invitation_not_mailed", invitation=invitation.pk, error=type(error).__name__)


def standing_invitation(raw: str) -> Invitation | None:
    """The one that this link is of, while it may be accepted. Works with no scope active."""
    with everyone():
        row = Invitation.objects.select_related("tenant").filter(token_hash=_hash(raw)).first()
    return row if row is not None and row.open else None


def accept(*, invitation: Invitation, user: User) -> Membership:
    """Once. An owner who is invited again stays one. Raises ValueError when somebody was quicker."""
    with tenant_scope(invitation.tenant_id), transaction.atomic():
        taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if not taken.update(accepted_at=timezone.now()):
            raise ValueError("this invitation was accepted already")
        there = Membership.objects.filter(user=user).first()
        return there or add_member(tenant=invitation.tenant, user=user, role=Role(invitation.role))


@transaction.atomic
def take_back(*, invitation: Invitation) -> None:
    """Nothing for one that was accepted."""
    if invitation.open:
        before = fields_of(invitation)
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        after = fields_of(invitation)
        record("member.uninvited", invitation, tenant_id=invitation.tenant_id, before=before, after=after)


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
