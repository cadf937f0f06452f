"""How a person stands in the console: an operator, a member of one tenant at a time, an operator who looks into one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from sessions_app.tenants import audit
from sessions_app.tenants.models import Tenant, User
from sessions_app.tenants.permissions import Can, Who, granted
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.second_factor import must_set_up
from sessions_app.tenants.selectors import membership_of, memberships_of

LOOK_MINUTES: Final = 60
"""So long an operator looks into a tenant; then they have to say why again."""
LOOK = "looking_into"
"""Where a login session keeps it."""
PINNED = "pinned_tenant"
"""Where a login session keeps the tenant whose own provider opened it: that provider vouches for nothing else."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`who` is None for people without a tenant and for strangers. `until`: the end of an operator's look. `barred`: a
    second factor must be set up first; until then `who` is None, too."""

    who: Who | None = None
    tenant: Tenant | None = None
    until: datetime | None = None
    barred: bool = False

    @property
    def tenant_id(self) -> UUID | None:
        return self.tenant.pk if self.tenant else None

    def may(self, can: Can) -> bool:
        return granted(self.who, can)


NOBODY: Final = Standing()
BARRED: Final = Standing(barred=True)


def standing_of(user: User, kept: Mapping[str, Any], wanted_tenant: str | None = None) -> Standing:
    """`kept`: the login session's data. `wanted_tenant`: for members of several, which of them they ask for."""
    if not user.is_authenticated or not user.is_active:
        return NOBODY
    if pinned := kept.get(PINNED):
        return _pinned(user, pinned)
    if user.is_superuser:
        if must_set_up(user, None):
            return BARRED
        return _looking(kept.get(LOOK)) or Standing(Who.OPERATOR)
    membership = membership_of(user=user, tenant_id=wanted_tenant or kept.get("tenant_id"))
    if membership is None:
        return NOBODY
    return BARRED if must_set_up(user, membership.tenant) else Standing(Who(membership.role), membership.tenant)


def _pinned(user: User, tenant_id: str) -> Standing:
    """In that tenant, or nowhere. A second factor is its provider's to ask for."""
    own = next((one for one in memberships_of(user=user) if str(one.tenant_id) == tenant_id), None)
    return NOBODY if own is None or user.is_superuser else Standing(Who(own.role), own.tenant)


def _looking(look: Any) -> Standing | None:
    if not look:
        return None
    until = datetime.fromisoformat(look["until"])
    with everyone():
        tenant = Tenant.objects.filter(pk=look["tenant"]).first()
    return Standing(Who.LOOKING, tenant, until) if tenant and until > timezone.now() else None


def look_into(kept: Any, tenant: Tenant, reason: str) -> None:
    """From now on the operator sees what this tenant's people see, and changes nothing. Its audit log tells."""
    until = timezone.now() + timedelta(minutes=LOOK_MINUTES)
    kept[LOOK] = {"tenant": str(tenant.pk), "until": until.isoformat()}
    audit.record("tenant.looked_into", tenant, tenant_id=tenant.pk, note=reason)


def look_away(kept: Any, tenant: Tenant) -> None:
    """Nothing, when the look has ended by itself."""
    if kept.pop(LOOK, None):
        audit.record("tenant.left", tenant, tenant_id=tenant.pk)
