"""The console's live page: sessions that a worker holds now. Tenant users see their own tenant's only."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from sessions_app.operations import selectors
from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can


class LiveSessionAdmin(ModelAdmin):
    """A page in place of a list of rows. What it may show is decided by the console's tenant scope."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        here = standing(request)
        return here.may(Can.READ_SESSIONS) or here.may(Can.RUN_INSTALLATION)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """The page and its data; there are no pages of single rows here."""
        site = self.admin_site.admin_view
        return [
            path("", site(self.changelist_view), name="sessions_app_livesession_changelist"),
            path("now/", site(self.now_view), name="livesession_now"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return HttpResponse("You may not see live sessions.", status=403, content_type="text/plain")
        site = self.admin_site.each_context(request)
        sessions = selectors.live_sessions()
        # The workers follow with the first refresh: who opens the page does not wait for them.
        now = {"sessions": sessions, "workers": [] if self._runs(request) else None}
        context = {**site, "title": "Live sessions", "opts": self.opts, "now": now, "sessions": sessions}
        return TemplateResponse(request, "admin/live/sessions.html", context)

    def now_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            return JsonResponse({"sessions": []}, status=403)
        return JsonResponse({"sessions": selectors.live_sessions(), "workers": self._workers(request)})

    def _workers(self, request: HttpRequest) -> list[dict[str, Any]] | None:
        """For operators only: what others do on the same machines is no tenant's business."""
        return selectors.workers() if self._runs(request) else None

    def _runs(self, request: HttpRequest) -> bool:
        return standing(request).may(Can.RUN_INSTALLATION)
