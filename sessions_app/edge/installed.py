"""The talk page as an app: its manifest, and the service worker that shows it without a connection."""

from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from sessions_app.assistants.selectors import public_assistant

ICONS: Final = (
    ("app-192.png", "192x192", "any"),
    ("app-512.png", "512x512", "any"),
    ("app-maskable-512.png", "512x512", "maskable"),
)
COLOURS: Final = {"background_color": "#f6f3ea", "theme_color": "#0f6558"}
MAX_SHORT_NAME: Final = 12
"""Characters under an icon before phones cut (https://developer.mozilla.org/docs/Web/Manifest/short_name)."""


@require_safe
def manifest(request: HttpRequest, tenant: str = "", assistant: str = "") -> HttpResponse:
    """W3C Web Application Manifest: of an assistant's page, or of the installation's list of them."""
    if not tenant:
        return _answer("GoAssist", "GoAssist", "/")
    found = public_assistant(tenant_slug=tenant, assistant_slug=assistant)
    if found is None:
        raise Http404
    name = f"{found.name} · {found.tenant.name}"
    return _answer(name, found.tenant.name[:MAX_SHORT_NAME].strip(), f"/t/{tenant}/{assistant}/")


def _answer(name: str, short_name: str, scope: str) -> HttpResponse:
    icons = [
        {"src": static(f"icons/{file}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for file, sizes, purpose in ICONS
    ]
    body: dict[str, Any] = {"id": scope, "name": name, "short_name": short_name, "start_url": scope, "scope": scope}
    body |= {"display": "standalone", "icons": icons, **COLOURS}
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root, because a worker rules over what lies below its own address only."""
    path = finders.find("talk/service_worker.js")
    if path is None:
        raise Http404
    answer = HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer
