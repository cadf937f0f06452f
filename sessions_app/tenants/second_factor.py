"""Who must have a second factor: members of a tenant that says so, and operators where the installation says so.

Recovery codes are none by themselves: they stand in for one.
"""

from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings

from sessions_app.tenants.models import Tenant, User
from sessions_app.tenants.selectors import memberships_of

FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_factor(user: User, *, besides: Authenticator | None = None) -> bool:
    """`besides`: one that is about to go."""
    kept = Authenticator.objects.filter(user=user, type__in=FACTORS)
    return kept.exclude(pk=besides.pk if besides else None).exists()


def must_set_up(user: User, tenant: Tenant | None) -> bool:
    """Before this person sees that tenant's console or, without one, the installation's."""
    required = tenant.second_factor_required if tenant else settings.GOASSIST.goassist_operator_second_factor
    return required and not has_factor(user)


def who_requires(user: User) -> list[str]:
    """Names of those who let this person in with a second factor only."""
    names = [one.tenant.name for one in memberships_of(user=user) if one.tenant.second_factor_required]
    if user.is_superuser and settings.GOASSIST.goassist_operator_second_factor:
        names.append("This installation")
    return names
