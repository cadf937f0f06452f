"""Pages that visitors see: the talk page of an assistant, the list of demo assistants, and errors in words."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from sessions_app.assistants.models import Assistant
from sessions_app.assistants.selectors import public_assistant
from sessions_app.edge.addresses import socket_url
from sessions_app.edge.problems import problem
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.selectors import own_page_key

API_PATH = "/api/v1"
SOCKETS_PATH = "/ws/v1"
ERROR_TEXTS = {
    400: "This request could not be understood.",
    403: "You may not see this page.",
    404: "There is no such page.",
    500: "Something went wrong here. It has been logged.",
}


@require_safe
def talk(request: HttpRequest, tenant: str, assistant: str) -> HttpResponse:
    """The assistant's page. `page` is what its script needs to know, for `json_script` (data, not code)."""
    found = public_assistant(tenant_slug=tenant, assistant_slug=assistant)
    key = own_page_key(found.tenant_id) if found else None
    if found is None or key is None:
        raise Http404
    page = {
        "tenant": {"slug": found.tenant.slug, "name": found.tenant.name},
        "assistant": {"id": str(found.id), "slug": found.slug, "name": found.name},
        "publishable_key": key.key,
        "api_base": request.build_absolute_uri(API_PATH),
        "ws_base": socket_url(request, SOCKETS_PATH),
        "settings": {"embed": "embed" in request.GET},
    }
    return render(request, "talk.html", {"tenant": found.tenant, "assistant": found, "page": page})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lists the assistants where one person runs everything; an installation for customers shows its console."""
    if settings.GOASSIST.goassist_mode != "embedded" and not settings.DEBUG:
        return redirect("admin:index")
    with everyone():
        published = Assistant.objects.select_related("tenant").exclude(live_version=None).order_by("tenant__name")
        assistants = [
            {"name": a.name, "tenant": a.tenant.name, "url": f"/t/{a.tenant.slug}/{a.slug}/"} for a in published
        ]
    return render(request, "home.html", {"assistants": assistants})


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 403)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page. `reason` is Django's, and in the log."""
    return _error(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None, **kwargs: Any) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(request, 500)


def _error(request: HttpRequest, status: int) -> HttpResponse:
    text = ERROR_TEXTS[status]
    if request.path_info.startswith("/api/"):
        return problem(status, text)
    return render(request, "error.html", {"status": status, "text": text}, status=status)
