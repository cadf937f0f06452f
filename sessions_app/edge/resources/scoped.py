"""How an endpoint's work on rows runs: in a thread, in its caller's tenant, in its caller's name."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import models, transaction

from sessions_app.edge.callers import CalledRequest
from sessions_app.edge.problems import NotFound
from sessions_app.tenants.addresses import visitor_address
from sessions_app.tenants.audit import Actor, acting
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import everyone, tenant_scope

Row = TypeVar("Row", bound=models.Model)


def in_scope(body: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """One transaction; the audit log writes the caller's key down."""

    @wraps(body)
    async def endpoint(request: CalledRequest, *args: Any, **options: Any) -> Any:
        def run() -> Any:
            with scope_of(request), acting(actor_of(request)), transaction.atomic():
                return body(request, *args, **options)

        return await sync_to_async(run)()

    return endpoint


def scope_of(request: CalledRequest) -> AbstractContextManager[None]:
    """An operator's key stands for no tenant, and opens what is the installation's only."""
    scope: AbstractContextManager[None] = tenant_scope(request.auth.tenant_id) if request.auth.tenant_id else everyone()
    return scope


def actor_of(request: CalledRequest) -> Actor:
    caller = request.auth
    return Actor("key", caller.label, caller.name, request.headers.get("X-Request-ID", ""), visitor_address(request))


def found(request: CalledRequest, rows: "models.QuerySet[Row]", can: Can, **wanted: Any) -> Row:
    """The one row. Raises NotFound also for another tenant's, and Forbidden only for what is the caller's own."""
    try:
        row = rows.filter(**wanted).first()
    except ValidationError:
        row = None
    if row is None:
        raise NotFound("There is no such thing here.")
    request.auth.need(can)
    return row
