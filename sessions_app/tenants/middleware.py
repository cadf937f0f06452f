"""The console's tenant scope: operators see all, tenant users the tenant they are a member of, nobody else anything.

Only under the console's address: the API and the visitor's pages set their own scope from key, token or address.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.selectors import membership_of

CONSOLE_PATH = "/admin/"
CONSOLE_POLICY = {
    # The console's own framework (Alpine) evaluates expressions and styles in the page.
    "script-src": ["'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'unsafe-inline'"],
}


@sync_and_async_middleware
def console_scope(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def scoped_async(request: HttpRequest) -> Any:
            if not request.path_info.startswith(CONSOLE_PATH):
                return await get_response(request)
            with await sync_to_async(_scope_for)(request):
                return _relaxed(await get_response(request))

        return scoped_async

    def scoped(request: HttpRequest) -> Any:
        if not request.path_info.startswith(CONSOLE_PATH):
            return get_response(request)
        with _scope_for(request):
            return _relaxed(get_response(request))

    return scoped


def _scope_for(request: HttpRequest) -> AbstractContextManager[None]:
    """Also leaves the membership on the request, for the console's permissions."""
    request.membership = None  # type: ignore[attr-defined]
    if not request.user.is_authenticated:
        return nullcontext()
    if request.user.is_superuser:
        return everyone()
    wanted = request.GET.get("tenant") if request.path_info == CONSOLE_PATH else None
    membership = membership_of(user=request.user, tenant_id=wanted or request.session.get("tenant_id"))
    if wanted and membership:
        request.session["tenant_id"] = str(membership.tenant_id)
    request.membership = membership  # type: ignore[attr-defined]
    return tenant_scope(membership.tenant_id) if membership else nullcontext()


def _relaxed(response: Any) -> Any:
    response._csp_update = CONSOLE_POLICY
    return response
