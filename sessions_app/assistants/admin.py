"""Console pages: assistants (their drafts) and their versions."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.decorators import action, display

from sessions_app.assistants.forms import AssistantForm
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.assistants.pages import AssistantPages
from sessions_app.tenants.console import ReadOnlyAdmin
from sessions_app.tenants.permissions import Can


@admin.register(Assistant)
class AssistantAdmin(AssistantPages):
    read, write = Can.READ_ASSISTANTS, Can.WRITE_ASSISTANTS
    form = AssistantForm
    list_display = ("name", "slug", "live", "page", "updated_at")
    list_select_related = ("live_version", "tenant")
    search_fields = ("name", "slug")
    actions = ("publish_chosen",)
    actions_submit_line = ("save_and_publish",)
    actions_detail = ("embed", "review")
    publishing = "sessions_app_assistant_save_and_publish"
    """Unfold's name of that button."""
    change_form_outer_after_template = "admin/assistant/try.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            (None, {"fields": ("name", "slug", "greeting", "persona")}),
            ("Knowledge", {"fields": ("facts", "documents", "confidence_threshold")}),
            ("Voice", {"fields": ("voice_name", "rate_wpm")}),
            ("Turn taking", {"fields": ("patience", "endpoint_ms", "min_speech_ms", "idle_limit_s")}),
        )

    @display(description="Live", label={"unpublished": "warning"})
    def live(self, assistant: Assistant) -> str:
        return str(assistant.live_version) if assistant.live_version else "unpublished"

    @display(description="Page")
    def page(self, assistant: Assistant) -> str:
        if not assistant.live_version_id:
            return "–"
        return format_html('<a href="/t/{0}/{1}/">/t/{0}/{1}/</a>', assistant.tenant.slug, assistant.slug)

    @action(description="Save, then publish…", permissions=["change"])
    def save_and_publish(self, request: HttpRequest, assistant: Assistant) -> None:
        """What visitors will hear is looked at first (`response_change`)."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer = super().response_change(request, obj)
        return self.to_page("review", obj.pk) if self.publishing in request.POST else answer

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """A new one answers nobody before it is published: what comes next is that."""
        answer = super().response_add(request, obj, post_url_continue)
        return self.to_page("review", obj.pk) if "_save" in request.POST else answer

    @admin.action(description="Publish", permissions=["change"])
    def publish_chosen(self, request: HttpRequest, assistants: QuerySet[Assistant]) -> None:
        for assistant in assistants:
            self.publish(request, assistant)


@admin.register(AssistantVersion)
class AssistantVersionAdmin(ReadOnlyAdmin):
    read, write = Can.READ_ASSISTANTS, Can.WRITE_ASSISTANTS
    list_display = ("assistant", "number", "trial", "short_digest", "published_by", "created_at")
    list_select_related = ("assistant", "published_by", "tenant")
    list_filter = ("trial", "created_at")
    fields = ("assistant", "number", "whole_digest", "published_by", "created_at", "what")

    @display(description="Digest")
    def short_digest(self, version: AssistantVersion) -> str:
        return version.digest[:12]

    @display(description="Digest (SHA-256)")
    def whole_digest(self, version: AssistantVersion) -> str:
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', version.digest)

    @display(description="Manifest")
    def what(self, version: AssistantVersion) -> str:
        text = json.dumps(version.manifest, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)
