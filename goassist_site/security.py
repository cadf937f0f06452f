"""What browsers are told about our pages: where content may come from, and which of their powers pages may use."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

NONE, SELF = "'none'", "'self'"
UNUSED = (
    "accelerometer camera display-capture geolocation gyroscope hid magnetometer midi payment serial usb "
    "xr-spatial-tracking"
).split()
PERMISSIONS = ", ".join(["microphone=(self)", "autoplay=(self)", *(f"{power}=()" for power in UNUSED)])
"""https://www.w3.org/TR/permissions-policy/: a page hears and speaks; whatever else a browser can do, it does not."""


def csp_policy(origins: list[str]) -> dict[str, Any]:
    """For visitors: no inline script, nothing from elsewhere. The console's is wider (tenants.middleware).

    Older browsers do not count websockets as 'self', so they are named.
    """
    sockets = [origin.replace("http", "ws", 1) for origin in origins]
    return {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:", "data:", "mediastream:"],
        "connect-src": [SELF, *sockets],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }


FOR_ANY_SITE = ("/static/widget.js", "/static/widget/", "/static/sdk/", "/static/parts/")
"""Modules that pages of other web sites load, with CORS. They are public; no cookie is asked for."""


def open_to_any_site(headers: Any, path: str, url: str) -> None:
    """WhiteNoise's WHITENOISE_ADD_HEADERS_FUNCTION. `url`: the file's address."""
    if url.startswith(FOR_ANY_SITE):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"


BARE = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": PERMISSIONS,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer carries that says nothing else: pages have a policy of their own (django-csp), files may be kept
(WhiteNoise), and whatever is made for somebody is kept by nobody."""


def servers_own(hsts_s: int) -> dict[str, str]:
    """Headers of what the web server answers before Django is asked. `hsts_s`: seconds; 0 where no https is."""
    https = {"Strict-Transport-Security": f"max-age={hsts_s}; includeSubDomains"} if hsts_s else {}
    return {**BARE, **https}


@sync_and_async_middleware
def bare_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Outside of the others, so that redirects and errors of theirs carry them as well."""

    def marked(response: Any) -> Any:
        for name, value in BARE.items():
            response.headers.setdefault(name, value)
        return response

    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            return marked(await get_response(request))

        return answer_async
    return lambda request: marked(get_response(request))
