"""What browsers are told about our pages: where content may come from, and which of their powers pages may use."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
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


def _marking(mark: Callable[[HttpRequest, Any], Any]) -> Callable[..., Any]:
    """A middleware that does this to each answer."""

    @sync_and_async_middleware
    def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        if iscoroutinefunction(get_response):

            async def answer_async(request: HttpRequest) -> Any:
                return mark(request, await get_response(request))

            return answer_async
        return lambda request: mark(request, get_response(request))

    return middleware


def _with_policy(request: HttpRequest, response: Any) -> Any:
    response["Permissions-Policy"] = PERMISSIONS
    return response


def _kept_nowhere(request: HttpRequest, response: Any) -> Any:
    """Unless the page itself says how long it may be kept."""
    own = settings.SESSION_COOKIE_NAME in request.COOKIES or request.path_info.startswith("/accounts/")
    if own and "Cache-Control" not in response:
        response["Cache-Control"] = "no-store"
    return response


permissions_policy = _marking(_with_policy)
no_store = _marking(_kept_nowhere)
"""What a browser with a login is told, and whatever leads to one, is kept by no cache on the way."""
