"""Errors of the API as problem documents (RFC 9457). What went wrong inside stays inside."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from pipeline.contracts.errors import EngineError, MediaError, PipelineError
from sessions_app.edge.paging import BadCursor
from sessions_app.edge.repeats import BadKey, replayed
from sessions_app.edge.sdpfrag import BadFragment
from sessions_app.operations.admission import SessionOver, TooMany
from sessions_app.operations.idempotency import KeyReused, Replay, StillRunning
from sessions_app.operations.seating import NoSeat
from sessions_app.usage.quotas import QuotaExceeded
from sessions_app.usage.selectors import NoMonth

log = structlog.get_logger(__name__)

BUSY_RETRY_S = 5
"""A seat comes free when somebody hangs up; asking again sooner helps nobody."""


class NotFound(Exception):
    """There is no such thing, or it belongs to somebody else: the two look alike."""


class Forbidden(Exception):
    """Known, but not allowed; the text says what would be."""


class Conflict(Exception):
    """Not possible in the state that things are in."""


class NotJson(Exception):
    """The body is of another type."""


class JsonParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """Raises NotJson, and ValueError for what is no JSON or cannot be kept."""
        if request.content_type != "application/json":
            raise NotJson("Send JSON: `Content-Type: application/json`.")
        body = super().parse_body(request)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text: UnicodeEncodeError
        return _without_nul(body)


def _without_nul(value: Any) -> Any:
    """PostgreSQL keeps no NUL, and no word has one."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(part) for part in value]
        case dict():
            return {_without_nul(name): _without_nul(part) for name, part in value.items()}
    return value


def problem(status: int, detail: str = "", *, retry_after_s: int | None = None, **members: Any) -> HttpResponse:
    """`code` (a word that clients may branch on) is one of `members`, and by default the status in words."""
    title = HTTPStatus(status).phrase
    members.setdefault("code", title.lower().replace(" ", "_"))
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail or title, **members}
    if retry_after_s is not None:
        body["retry_after_s"] = retry_after_s
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else {}
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def describe(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """(status, members of the problem) of an error that callers may hear about; None for all others."""
    text = str(error)
    match error:
        case NotFound() | Http404():
            return 404, {"detail": text or "There is no such thing here."}
        case Forbidden() | Conflict():
            return 403 if isinstance(error, Forbidden) else 409, {"detail": text}
        case SessionOver():
            return 409, {"detail": text, "code": "session_over"}
        case TooMany():
            return 429, {"detail": text, "code": "rate_limited", "retry_after_s": error.retry_after_s}
        case QuotaExceeded():
            resets = {"resets_at": error.resets_at.isoformat()} if error.resets_at else {}
            return 429, {"detail": text, "code": "quota_exceeded", "retry_after_s": error.retry_after_s, **resets}
        case MediaError():
            return 422, {"detail": text, "code": error.code}
        case EngineError():
            # The engine's own words are for the log.
            log.warning("engine_failed", engine=error.engine, error=text)
            detail = "The assistant cannot answer right now. Please try again."
            return 503, {"detail": detail, "code": error.code, "retry_after_s": BUSY_RETRY_S}
        case NoSeat():
            place = {"place": error.place} if error.place else {}
            return 503, {"detail": text, "code": error.code, "retry_after_s": error.retry_after_s, **place}
        case PipelineError() if error.retryable:
            return 503, {"detail": text, "code": error.code, "retry_after_s": BUSY_RETRY_S}
    return None


def _of_the_request(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is wrong with a header or a parameter that schemas do not know."""
    match error:
        case KeyReused():
            return problem(422, "This Idempotency-Key came with another request before.", code="key_reused")
        case StillRunning():
            detail = "The first request with this Idempotency-Key is still under way."
            return problem(409, detail, code="still_running", retry_after_s=1)
    return problem(422, str(error), code="invalid")


def install(api: NinjaAPI) -> None:
    """Every error that leaves an endpoint leaves it as a problem."""
    described = (NotFound, Http404, Forbidden, Conflict, SessionOver, TooMany, QuotaExceeded, PipelineError)
    handlers: dict[type[Exception], Callable[..., HttpResponse]] = {
        **dict.fromkeys(described, _described),
        **dict.fromkeys((BadKey, BadCursor, BadFragment, NoMonth, KeyReused, StillRunning), _of_the_request),
        Replay: lambda request, error: replayed(error),
        AuthenticationError: _unknown_caller,
        ValidationError: _invalid,
        HttpError: _refused,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _described(request: HttpRequest, error: Exception) -> HttpResponse:
    described = describe(error)
    if described is None:
        return _unexpected(request, error)
    status, members = described
    return problem(status, **members)


def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    """ninja calls every body that it cannot read a bad request."""
    if isinstance(error.__cause__, NotJson):
        return problem(415, str(error.__cause__))
    return problem(error.status_code, str(error))


def _unknown_caller(request: HttpRequest, error: Exception) -> HttpResponse:
    response = problem(401, "Send `Authorization: Bearer` with a key or a session's token that is valid.")
    response["WWW-Authenticate"] = 'Bearer realm="goassist"'
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = [{"field": _path(e["loc"]), "message": e["msg"]} for e in error.errors]
    return problem(422, "; ".join(f"{f['field']}: {f['message']}" for f in fields), errors=fields, code="invalid")


def _path(location: tuple[str | int, ...]) -> str:
    """("body", "offer", "sdp") → "sdp": the parameter's own name says nothing to the caller."""
    return ".".join(map(str, location[2:] or location[1:] or location))


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_failed", path=request.path, exc_info=error)
    return problem(500, "Something went wrong here. It has been logged.")
