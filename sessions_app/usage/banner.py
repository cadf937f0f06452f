"""On every page of a tenant's console: how near the month's minutes are to their end."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can
from sessions_app.usage.models import Quota
from sessions_app.usage.selectors import Standing, standing_to_quota


def quota_banner(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Nothing is asked of the database before a template does."""
    return {"quota_banner": SimpleLazyObject(lambda: _near_its_end(request))}


def _near_its_end(request: HttpRequest) -> Standing | None:
    here = standing(request)
    if here.tenant is None or not here.may(Can.READ_TENANT):
        return None
    if not Quota.objects.filter(tenant=here.tenant).exclude(minutes_a_month=None).exists():
        return None
    quota = standing_to_quota(here.tenant.pk)
    return quota if quota.nearly else None
