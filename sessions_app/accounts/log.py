"""Logins in the audit log: of members on the chains of their tenants, of operators on the installation's."""

from typing import Any
from uuid import UUID

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.usersessions.models import UserSession
from django.contrib.auth import signals as auth_signals
from django.db import transaction
from django.http import HttpRequest

from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.audit import Actor, acting, record
from sessions_app.tenants.models import User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.second_factor import FACTORS, has_factor
from sessions_app.tenants.selectors import memberships_of
from sessions_app.tenants.standing import PINNED


def note(action: str, request: HttpRequest | None, user: Any, **after: Any) -> None:
    """Nothing for somebody without tenants who is no operator: there is no log to write in. What a tenant's provider
    opened is that tenant's alone to read."""
    pinned = request.session.get(PINNED) if request and hasattr(request, "session") else None
    chains = [UUID(pinned)] if pinned else _chains(user)
    with everyone(), acting(_actor(request, user)), transaction.atomic():
        for tenant_id in chains:
            record(action, user, tenant_id=tenant_id, after=after)


def _chains(user: Any) -> list[UUID | None]:
    return [None] if user.is_superuser else [one.tenant_id for one in memberships_of(user=user)]


def _actor(request: HttpRequest | None, user: User) -> Actor:
    kind = "operator" if user.is_superuser else "user"
    asked = request.headers.get("X-Request-ID", "") if request else ""
    return Actor(kind, user.email, str(user.pk), asked, visitor_address(request) if request else "")


def logged_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    by = {"by": "single sign-on"} if request and PINNED in request.session else {}
    note("login", request, user, **by)


def logged_out(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user is not None:
        note("logout", request, user)


def login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Only what was tried on a login that is there; addresses that somebody made up are nobody's."""
    email = str(credentials.get("email") or credentials.get("username") or "").lower()
    user = User.objects.filter(email=email).first()
    if user is not None:
        note("login.failed", request, user)


def password_changed(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    note("password.changed", request, user)


def factor_added(sender: Any, request: HttpRequest | None, user: Any, authenticator: Any, **kwargs: Any) -> None:
    note("second_factor.added", request, user, kind=authenticator.type)
    if authenticator.type in FACTORS and not has_factor(user, besides=authenticator):
        end_others(request, user)


def end_others(request: HttpRequest | None, user: Any) -> None:
    """Sessions elsewhere were opened with a password alone."""
    others = [one for one in UserSession.objects.purge_and_list(user) if not one.is_current()]
    for one in others:
        one.end()
    if others:
        note("login_session.others_ended", request, user)


def factor_removed(sender: Any, request: HttpRequest | None, user: Any, authenticator: Any, **kwargs: Any) -> None:
    note("second_factor.removed", request, user, kind=authenticator.type)


def install() -> None:
    """Once, when the app is ready."""
    auth_signals.user_logged_in.connect(logged_in, dispatch_uid="goassist.login")
    auth_signals.user_logged_out.connect(logged_out, dispatch_uid="goassist.logout")
    auth_signals.user_login_failed.connect(login_failed, dispatch_uid="goassist.login_failed")
    for changed in (account_signals.password_changed, account_signals.password_reset, account_signals.password_set):
        changed.connect(password_changed, dispatch_uid="goassist.password")
    mfa_signals.authenticator_added.connect(factor_added, dispatch_uid="goassist.factor_added")
    mfa_signals.authenticator_removed.connect(factor_removed, dispatch_uid="goassist.factor_removed")
