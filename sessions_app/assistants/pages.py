"""Pages of one assistant beside its form: what publishing changes, the tag for web sites, a talk with the draft."""

from typing import Any, Final

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import action

from sessions_app.assistants.changes import changes
from sessions_app.assistants.draft import DraftError, checked, spec_from
from sessions_app.assistants.models import Assistant
from sessions_app.assistants.services import freeze_trial, publish
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.console import ConsoleAdmin
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.selectors import own_page_key

CHOICES: Final = {
    "position": {
        "": "bottom right", "bottom-left": "bottom left", "top-right": "top right", "top-left": "top left",
        "inline": "in the page, where it is put",
    },
    "language": {"": "as the page", "en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"},
    "theme": {"auto": "as the visitor's system", "light": "light", "dark": "dark"},
}  # fmt: skip


class AssistantPages(ConsoleAdmin):
    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("<path:object_id>/try/", site(require_POST(self.try_view)), name="sessions_app_assistant_try"),
            *super().get_urls(),
        ]

    @action(description="Embed", url_path="embed", icon="code", permissions=["view"])
    def embed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The tag for one of the tenant's keys, and the widget as it will look, on trial."""
        assistant = self._found(request, object_id)
        keys = [key for key in PublishableKey.objects.filter(revoked_at=None) if key.allowed_origins]
        widget = request.build_absolute_uri(static("widget.js"))
        trial = own_page_key(assistant.tenant_id)
        shown = {
            "keys": keys, "choices": CHOICES, "trial_key": trial.key if trial else "",
            "tag": {"src": widget, "assistant": assistant.slug, "key": keys[0].key if keys else "pk_…"},
        }  # fmt: skip
        return self._page(request, assistant, f"Embed {assistant}", "embed", shown)

    @action(description="What publishing changes", url_path="review", icon="difference", permissions=["view"])
    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What visitors would hear otherwise than now; publishing it from here."""
        assistant = self._found(request, object_id)
        may_publish = self.has_change_permission(request, assistant)
        if request.method == "POST":
            if not may_publish:
                raise PermissionDenied
            self.publish(request, assistant)
            return self.to_page("change", assistant.pk)
        live = assistant.live_version
        try:
            spec = spec_from(assistant=assistant, draft=checked(assistant.draft))
            shown: dict[str, Any] = {"changes": changes(live.manifest if live else None, spec), "live": live}
        except DraftError as error:
            shown = {"problems": error.problems, "live": live}
        return self._page(request, assistant, f"Publish {assistant}", "review", shown | {"may_publish": may_publish})

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An embed token for the draft as it was saved last, for whoever may edit it."""
        assistant = self._found(request, object_id)
        key = own_page_key(assistant.tenant_id)
        if not self.has_change_permission(request, assistant):
            raise PermissionDenied
        if key is None:
            return JsonResponse(
                {"detail": "There is no publishable key for this installation's own pages."}, status=409
            )
        try:
            version = freeze_trial(assistant=assistant, by=request.user)  # type: ignore[arg-type]
        except DraftError as error:
            return JsonResponse({"detail": str(error)}, status=422)
        token, expires_at = embed_tokens.issue(
            embed_tokens.EmbedToken(
                str(assistant.tenant_id),
                key.id,
                assistant.id,
                request.build_absolute_uri("/").rstrip("/"),
                version_id=version.id,
            )
        )
        names = {"assistant": {"name": f"{assistant.name} (draft)"}, "tenant": {"name": assistant.tenant.name}}
        return JsonResponse({"token": token, "expires_at": expires_at, **names})

    def publish(self, request: HttpRequest, assistant: Assistant) -> None:
        """And says so."""
        try:
            version = publish(assistant=assistant, by=request.user)  # type: ignore[arg-type]
        except DraftError as error:
            self.message_user(request, f"{assistant}: {error}", level="error")
        else:
            self.message_user(request, f"{assistant}: {version} is live.", level="success")

    def _found(self, request: HttpRequest, object_id: str) -> Assistant:
        self.must_be_there(request, object_id)
        return Assistant.objects.select_related("tenant", "live_version").get(pk=unquote(object_id))

    def to_page(self, name: str, object_id: str) -> HttpResponse:
        """One of this assistant's."""
        return HttpResponseRedirect(reverse(f"admin:sessions_app_assistant_{name}", args=[quote(object_id)]))

    def _page(
        self, request: HttpRequest, assistant: Assistant, title: str, name: str, shown: dict[str, Any]
    ) -> HttpResponse:
        site = self.admin_site.each_context(request)
        context = {**site, "title": title, "opts": self.opts, "original": assistant, "assistant": assistant, **shown}
        return TemplateResponse(request, f"admin/assistant/{name}.html", context)
