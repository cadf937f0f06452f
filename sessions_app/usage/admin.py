"""The console's usage page (a tenant's own, or all tenants' totals), and the quotas that operators set."""

import csv
from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from sessions_app.tenants.audit import record
from sessions_app.tenants.console import ConsoleAdmin, standing
from sessions_app.tenants.permissions import Can
from sessions_app.usage import selectors
from sessions_app.usage.models import Quota, UsageDay

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute: a tenant's own words must not (OWASP, CSV injection)."""


@admin.register(UsageDay)
class UsageAdmin(ConsoleAdmin):
    """A page in place of a list of rows."""

    read = write = Can.READ_TENANT

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self._runs(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """There are no pages of single rows here."""
        site = self.admin_site.admin_view
        return [
            path("", site(self.changelist_view), name="sessions_app_usageday_changelist"),
            path("usage.csv", site(self.csv_view), name="usage_csv"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        month = self._month(request)
        site = self.admin_site.each_context(request)
        days = selectors.by_day(month)
        context = {
            **site, "title": "Usage", "opts": self.opts, "month": month, "months": selectors.months(),
            "this_month": month == selectors.month_named(""),
            "totals": selectors.totals(month), "days": days, "chart": chart(days),
            **self._whose(request, month),
        }  # fmt: skip
        return TemplateResponse(request, "admin/usage/month.html", context)

    def csv_view(self, request: HttpRequest) -> HttpResponse:
        month = self._month(request)
        whose = standing(request).tenant
        name = f"usage-{whose.slug if whose else 'all'}-{month:%Y-%m}.csv"
        answer = HttpResponse(
            content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )
        rows = selectors.table(month, tenants=self._runs(request))
        csv.writer(answer).writerows([harmless(cell) for cell in row] for row in rows)
        return answer

    def _whose(self, request: HttpRequest, month: date) -> dict[str, Any]:
        tenant = standing(request).tenant
        if tenant is None:
            return {"tenants": selectors.by_tenant(month)}
        return {"quota": selectors.standing_to_quota(tenant.pk), "assistants": selectors.by_assistant(month)}

    def _month(self, request: HttpRequest) -> date:
        """The one asked for; this one, and a message, when it is none. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return selectors.month_named(request.GET.get("month", ""))
        except selectors.NoMonth as error:
            messages.error(request, str(error))
            return selectors.month_named("")

    def _runs(self, request: HttpRequest) -> bool:
        return standing(request).may(Can.RUN_INSTALLATION)


@admin.register(Quota)
class QuotaAdmin(ConsoleAdmin):
    """For operators; a tenant reads its own on its usage page, and every change in its audit log."""

    read = write = Can.RUN_INSTALLATION
    list_display = ("whose", "concurrent_sessions", "minutes_a_month", "changed_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "tenant__slug")
    fields = ("tenant", "concurrent_sessions", "minutes_a_month")

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("tenant",) if obj else ()

    @display(description="Tenant", ordering="tenant__name")
    def whose(self, quota: Quota) -> str:
        return quota.tenant.name

    def note(self, request: HttpRequest, what: str, obj: Any, **fields: Any) -> None:
        """On both chains: the installation's, and the tenant's whose quota it is."""
        super().note(request, what, obj, **fields)
        record(f"quota.{what}", obj, tenant_id=obj.tenant_id, **fields)


def chart(days: list[dict[str, Any]]) -> dict[str, Any]:
    """Minutes a day, for static/console/usage.js."""
    return {
        "days": [row["day"].isoformat() for row in days],
        "voice": [round(row["voice_minutes"], 1) for row in days],
        "chat": [round(row["chat_minutes"], 1) for row in days],
    }


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula, as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
