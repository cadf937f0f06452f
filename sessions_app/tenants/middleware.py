"""The console's tenant scope, and whose hand the audit log writes down: operators see the installation, members their
tenant, nobody else anything.

Only under the console's address: the API and the visitor's pages set their own scope from key, token or address.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware

from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.audit import Actor, acting
from sessions_app.tenants.permissions import Who
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.standing import Standing, standing_of

CONSOLE_PATH = "/admin/"
CONSOLE_POLICY = {
    # The console's own framework (Alpine) evaluates expressions and styles in the page. No page holds inline script, so
    # none is allowed, and no nonce is needed.
    "script-src": ["'unsafe-eval'"],
    "style-src": ["'unsafe-inline'"],
}


@sync_and_async_middleware
def console_scope(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def scoped_async(request: HttpRequest) -> Any:
            if not request.path_info.startswith(CONSOLE_PATH):
                return await get_response(request)
            with await sync_to_async(_enter)(request):
                return _relaxed(_barred(request) or await get_response(request))

        return scoped_async

    def scoped(request: HttpRequest) -> Any:
        if not request.path_info.startswith(CONSOLE_PATH):
            return get_response(request)
        with _enter(request):
            return _relaxed(_barred(request) or get_response(request))

    return scoped


def _enter(request: HttpRequest) -> AbstractContextManager[None]:
    """Leaves the person's standing on the request, for the console's permissions."""
    wanted = request.GET.get("tenant") if request.path_info == CONSOLE_PATH else None
    standing = standing_of(request.user, request.session, wanted)  # type: ignore[arg-type]
    if wanted and standing.tenant and standing.who != Who.LOOKING:
        request.session["tenant_id"] = str(standing.tenant_id)
    request.standing = standing  # type: ignore[attr-defined]
    return _within(standing, actor_of(request))


def _barred(request: HttpRequest) -> HttpResponse | None:
    """Whatever was asked for: first the second factor."""
    standing: Standing = request.standing  # type: ignore[attr-defined]
    return HttpResponseRedirect(reverse("account_second_factor")) if standing.barred else None


@contextmanager
def _within(standing: Standing, actor: Actor) -> Iterator[None]:
    with scope_of(standing), acting(actor):
        yield


def scope_of(standing: Standing) -> AbstractContextManager[None]:
    """What a person in this standing sees."""
    if standing.tenant:
        return tenant_scope(standing.tenant.pk)
    return everyone() if standing.who == Who.OPERATOR else nullcontext()


def actor_of(request: HttpRequest) -> Actor:
    """A signed-in person, with the request's id and address."""
    user = request.user
    return Actor(
        kind="operator" if user.is_authenticated and user.is_superuser else "user",
        name=user.email if user.is_authenticated else "",
        ref=str(user.pk or ""),
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
        address=visitor_address(request),
    )


def _relaxed(response: Any) -> Any:
    response._csp_update = CONSOLE_POLICY
    return response
