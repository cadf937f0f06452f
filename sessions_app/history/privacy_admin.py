"""The console's page of what a tenant keeps of what is said: one form, not a list."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from sessions_app.history.models import Privacy
from sessions_app.tenants.console import OnlyOneAdmin
from sessions_app.tenants.permissions import Can


@admin.register(Privacy)
class PrivacyAdmin(OnlyOneAdmin):
    read, write = Can.READ_TENANT, Can.WRITE_TENANT
    fields = ("transcripts", "retention_days", "recordings", "recording_days")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
