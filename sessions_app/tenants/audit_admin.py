"""The console's audit log: a tenant's own chain, and for operators the installation's. Read only."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from sessions_app.tenants.audit import INSTALLATION, broken
from sessions_app.tenants.console import ReadOnlyAdmin, standing
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.permissions import Can

LONGEST_SHOWN = 2000


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    read, write = Can.READ_AUDIT, Can.READ_AUDIT
    list_display = ("number", "moment", "who", "action", "target", "note")
    list_display_links = ("number", "action")
    list_filter = ("actor_kind", "target_kind", "at")
    search_fields = ("actor", "action", "target", "target_ref", "note")
    search_help_text = "Who, what was done, to what."
    show_full_result_count = False
    actions_list = ("verify",)
    fields = (
        ("number", "at"),
        ("who", "address", "request_id"),
        "action",
        ("target_kind", "target_ref"),
        "target",
        "note",
        "changes",
        "sealed",
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or standing(request).may(Can.RUN_INSTALLATION)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        return entries.filter(chain=self._chain(request))

    @action(description="Verify the chain", url_path="verify", permissions=["verify"], icon="verified")
    def verify(self, request: HttpRequest) -> HttpResponse:
        number = broken(self._chain(request))
        if number is None:
            self.message_user(request, "Every entry fits the one before it: nothing was altered or taken out.")
        else:
            self.message_user(request, f"The chain is broken at entry {number}.", level="error")
        return HttpResponseRedirect(reverse("admin:sessions_app_auditentry_changelist"))

    def _chain(self, request: HttpRequest) -> str:
        return str(standing(request).tenant_id or INSTALLATION)

    @display(description="At (UTC)", ordering="number")
    def moment(self, entry: AuditEntry) -> SafeString:
        return format_html('<span class="go-number">{}</span>', f"{entry.at:%Y-%m-%d %H:%M:%S}")

    @display(description="Who", ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor if entry.actor_kind in {"user", "system"} else f"{entry.actor} ({entry.actor_kind})"

    @display(description="Changes")
    def changes(self, entry: AuditEntry) -> SafeString | str:
        names = list({**entry.before, **entry.after})
        rows = format_html_join(
            "",
            "<tr><th>{}</th><td><pre>{}</pre></td><td><pre>{}</pre></td></tr>",
            ((name, _text(entry.before, name), _text(entry.after, name)) for name in names),
        )
        head = "<table class='go-table go-diff'><thead><tr><th>Field</th><th>Before</th><th>After</th></tr></thead>"
        return format_html(head + "<tbody>{}</tbody></table>", rows) if names else "–"

    @display(description="Seal (SHA-256)")
    def sealed(self, entry: AuditEntry) -> SafeString:
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', entry.digest)


def _text(fields: dict[str, Any], name: str) -> str:
    if name not in fields:
        return "–"
    value = fields[name]
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} …"
