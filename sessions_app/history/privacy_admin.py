"""The console's page of what a tenant keeps of what is said: one form, not a list."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from sessions_app.history.models import Privacy
from sessions_app.tenants.console import ConsoleAdmin
from sessions_app.tenants.permissions import Can


@admin.register(Privacy)
class PrivacyAdmin(ConsoleAdmin):
    read, write = Can.READ_TENANT, Can.WRITE_TENANT
    fields = ("transcripts", "retention_days")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Privacy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one at most: to it, or to the form that makes it."""
        row = Privacy.objects.first() if self.has_view_permission(request) else None
        name = "admin:sessions_app_privacy"
        if row is not None:
            return HttpResponseRedirect(reverse(f"{name}_change", args=[quote(row.pk)]))
        if self.has_add_permission(request):
            return HttpResponseRedirect(reverse(f"{name}_add"))
        return super().changelist_view(request, extra_context)
