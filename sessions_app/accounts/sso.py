"""Whom a tenant's provider lets in: its members, and newcomers with an invitation. Nobody else, and never operators."""

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.accounts.id_token import Refused, address_in
from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.tenants.audit import record
from sessions_app.tenants.invitations import accept
from sessions_app.tenants.models import Invitation, Membership, Tenant, User
from sessions_app.tenants.scope import everyone, tenant_scope

STRANGER: Final = "You are no member here. Ask the owner for an invitation."
BY_LINK: Final = "You have a login here already: accept the invitation by the link in your mail, then come back."
ANOTHER: Final = "That address belongs to another person at your provider. Ask an owner to take the old identity out."


def sso_of(slug: str) -> SingleSignOn | None:
    """The tenant's, with its tenant, while it is on. Works with no scope active."""
    with everyone():
        rows = SingleSignOn.objects.select_related("tenant")
        return rows.filter(tenant__slug=slug, enabled=True).first()


def let_in(sso: SingleSignOn, claims: dict[str, Any]) -> User:
    """Who it is; the first time they are bound to the subject. Raises Refused, and the tenant's audit log tells."""
    with tenant_scope(sso.tenant_id):
        try:
            address = address_in(claims, sso.domains)
            with transaction.atomic():
                user = _person(sso, claims["sub"], address)
                SsoIdentity.objects.filter(issuer=sso.issuer, user=user).update(last_login_at=timezone.now())
                return user
        except IntegrityError as error:
            raise Refused("Somebody else was quicker. Try again.") from error
        except Refused as error:
            record("single_sign_on.refused", sso, tenant_id=sso.tenant_id, note=f"{claims['sub']}: {error}")
            raise


def _person(sso: SingleSignOn, subject: str, address: str) -> User:
    bound = SsoIdentity.objects.select_related("user").filter(issuer=sso.issuer, subject=subject).first()
    user = bound.user if bound else User.objects.filter(email=address).first()
    if user is None:
        user = _newcomer(sso.tenant, address)
    _may_enter(user, known=bound is not None, address=address)
    if bound is None:
        if SsoIdentity.objects.filter(issuer=sso.issuer, user=user).exists():
            raise Refused(ANOTHER)
        bound = SsoIdentity.objects.create(tenant=sso.tenant, user=user, issuer=sso.issuer, subject=subject)
        record("single_sign_on.bound", bound, tenant_id=sso.tenant_id, after={"email": user.email, "subject": subject})
    return user


def _newcomer(tenant: Tenant, address: str) -> User:
    invitation = _invitation(address)
    if invitation is None:
        raise Refused(STRANGER)
    user = User.objects.create_user(address)
    _accepted(invitation, user)
    return user


def _may_enter(user: User, *, known: bool, address: str) -> None:
    """Whoever has a login agrees to become a member with that login, not by a provider's word; who was one under this
    very subject has agreed before."""
    if user.is_superuser or not user.is_active:
        raise Refused(STRANGER)
    if Membership.objects.filter(user=user).exists():
        return
    invitation = _invitation(user.email) if user.email == address else None
    if invitation is None:
        raise Refused(STRANGER)
    if not known:
        raise Refused(BY_LINK)
    _accepted(invitation, user)


def _invitation(address: str) -> Invitation | None:
    standing = Invitation.objects.filter(
        email=address, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return standing.select_related("tenant").first()


def _accepted(invitation: Invitation, user: User) -> None:
    try:
        accept(invitation=invitation, user=user)
    except ValueError as error:
        raise Refused(STRANGER) from error
