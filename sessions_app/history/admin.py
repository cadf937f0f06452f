"""Console pages: sessions, searched and listed; one of them with its transcript and where the time went."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from sessions_app.history import bundle, erasure, recording_views, selectors, session_page
from sessions_app.history.models import Session, SessionState
from sessions_app.tenants.console import CappedPaginator, ReadOnlyAdmin, standing
from sessions_app.tenants.ids import SESSION, is_id
from sessions_app.tenants.permissions import Can

STATES = {"new": "info", "live": "success", "ended": ""}


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    read, write = Can.READ_SESSIONS, Can.READ_SESSIONS
    list_display = ("created_at", "assistant", "how", "coloured_state", "turn_count", "length", "end_reason")
    list_filter = ("state", "channel", "trial", "assistant", "created_at")
    list_select_related = ("assistant", "tenant")
    list_per_page = 50
    paginator, show_full_result_count = CappedPaginator, False
    search_fields = ("id",)
    search_help_text = f"Words that were said (in the latest {selectors.SOUGHT}), a session's id, or a visitor."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        return selectors.with_turn_total(sessions)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if is_id(SESSION, term):
            return queryset.filter(pk=term), False
        return queryset.filter(Q(pk__in=selectors.sessions_with(term)) | Q(visitor=term)), False

    def get_urls(self) -> list[URLPattern]:
        """Nobody adds or changes a session by hand."""
        site, name = self.admin_site.admin_view, "sessions_app_session"
        return [
            path("<path:object_id>/diagnostics.zip", site(self.bundle_view), name=f"{name}_diagnostics"),
            path("<path:object_id>/recordings/<str:file_id>/", site(self.recording_view), name=f"{name}_recording"),
            path("<path:object_id>/erase/", site(self.erase_view), name=f"{name}_erase"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        session = self._session(request, object_id)
        site = self.admin_site.each_context(request)
        context = {"title": str(session), "opts": self.opts, "session": session, "page": session_page.of(session)}
        who = standing(request)
        context["recordings"] = recording_views.shown(session) if who.may(Can.READ_FILES) else []
        context["may_delete_recordings"] = who.may(Can.WRITE_FILES)
        context["may_erase"] = bool(session.visitor) and who.may(Can.ERASE_VISITORS)
        return TemplateResponse(request, "admin/session.html", {**site, **context})

    def bundle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self._session(request, object_id)
        headers = {"Content-Disposition": f'attachment; filename="{session.id}.zip"', "Cache-Control": "no-store"}
        return HttpResponse(bundle.of(session), content_type="application/zip", headers=headers)

    def recording_view(self, request: HttpRequest, object_id: str, file_id: str) -> HttpResponse:
        """To hear one, or (a form's POST) to delete it."""
        session = self._session(request, object_id)
        if request.method != "POST":
            return recording_views.heard(request, session, file_id)
        recording_views.delete(request, session, file_id)
        self.message_user(request, "The recording is deleted.")
        return HttpResponseRedirect(reverse("admin:sessions_app_session_change", args=[quote(session.pk)]))

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks, then deletes all sessions of this session's visitor."""
        session = self._session(request, object_id)
        if not session.visitor or not standing(request).may(Can.ERASE_VISITORS):
            raise PermissionDenied
        theirs = erasure.sessions_of(session.visitor)
        calling = any(one.state == SessionState.LIVE for one in theirs)
        if request.method == "POST" and not calling:
            self.message_user(request, f"Erased: {erasure.erase(theirs)} sessions, with every word.")
            return HttpResponseRedirect(reverse("admin:sessions_app_session_changelist"))
        site = self.admin_site.each_context(request)
        context = {"title": "Erase a visitor", "opts": self.opts, "session": session, "calling": calling}
        return TemplateResponse(request, "admin/erase.html", {**site, **context, "count": len(theirs)})

    def _session(self, request: HttpRequest, object_id: str) -> Session:
        """Raises PermissionDenied or Http404."""
        self.must_be_there(request, object_id)
        return Session.objects.select_related("assistant", "version", "tenant").get(pk=unquote(object_id))

    @display(description="State", ordering="state", label=STATES)
    def coloured_state(self, session: Session) -> str:
        return session.state

    @display(description="Channel", ordering="channel")
    def how(self, session: Session) -> str:
        return f"{session.channel}, trial" if session.trial else session.channel

    @display(description="Turns")
    def turn_count(self, session: Session) -> int:
        return session.turn_total  # type: ignore[attr-defined]

    @display(description="Length")
    def length(self, session: Session) -> str:
        return session_page.clock(session.length_s)
