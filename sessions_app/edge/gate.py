"""Middleware in front of `/api/`: body limit, CORS, and problems instead of HTML.

CORS without wildcard: bearer tokens are no ambient authority (no cookie is read here), so the preflight may be answered
for any origin; the answer itself is readable only by an origin that the key or token allows (`callers`).
"""

from collections.abc import Awaitable, Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware

from sessions_app.edge import whip
from sessions_app.edge.problems import problem
from sessions_app.edge.repeats import once

MAX_BODY_BYTES = 64 * 1024
MAX_DRAFT_BYTES = 1_000_000
"""An assistant's draft carries its documents; Django itself takes no more (DATA_UPLOAD_MAX_MEMORY_SIZE)."""
DRAFTS = "/api/v1/assistants"
PREFLIGHT_S = 600
PREFLIGHT = "Access-Control-Request-Method"
"""The header that makes a preflight of an OPTIONS request."""
EXPOSED = "Retry-After, X-Request-ID, Idempotency-Replayed, Location, ETag, Link, Accept-Patch"
"""Headers of an answer that a page's script may read; the last four are WHIP's."""


@async_only_middleware
def api_gate(get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> Callable:
    async def gate(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return await get_response(request)
        if request.method == "OPTIONS" and (whip.taken_at(request.path_info) or PREFLIGHT in request.headers):
            return _preflight(request)
        response = _refusal(request) or _as_problem(await once(request, get_response))
        origin = getattr(request, "welcome_origin", "")
        if origin:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = EXPOSED
        response["Vary"] = "Origin"
        response["Cache-Control"] = "no-store"
        return response

    return gate


def _preflight(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Origin"] = request.headers.get("Origin", "null")
    response["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Request-ID, Idempotency-Key, If-Match"
    for name, value in whip.taken_at(request.path_info).items():
        response[name] = value
    response["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    response["Vary"] = "Origin"
    return response


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Why this body will not be looked at; None when it will."""
    limit = MAX_DRAFT_BYTES if request.path_info.startswith(DRAFTS) else MAX_BODY_BYTES
    try:
        too_big = len(request.body) > limit
    except RequestDataTooBig:
        too_big = True
    return problem(413, f"No request here needs more than {limit // 1000} kB.") if too_big else None


def _as_problem(response: HttpResponse) -> HttpResponse:
    """Errors that did not come from an endpoint (wrong method, wrong host) in the same form as those that did."""
    if response.status_code < 400 or response.get("Content-Type", "").startswith("application/problem+json"):
        return response
    plain = problem(response.status_code)
    if response.has_header("Allow"):
        plain["Allow"] = response["Allow"]
    return plain
