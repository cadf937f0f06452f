"""Which tenant's rows this piece of work may touch. Fails closed: with no scope, every query raises.

The scope lives in a context variable: it follows awaits, tasks and `sync_to_async` threads, and two requests never
share one. Idea after django-scopes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.db import models


class NoActiveTenant(RuntimeError):
    """A query on a tenant's rows outside `tenant_scope()` and `everyone()`."""


class WrongTenant(RuntimeError):
    """A row of one tenant was to be written inside the scope of another."""


EVERYONE: Final = "everyone"
Scope = UUID | str

_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


@contextmanager
def _active(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def tenant_scope(tenant_id: UUID | str) -> Any:
    """Only this tenant's rows. Raises ValueError when that is not an id."""
    return _active(tenant_id if isinstance(tenant_id, UUID) else UUID(str(tenant_id)))


def everyone() -> Any:
    """All tenants' rows: for operators, the journal and looking a key up."""
    return _active(EVERYONE)


def scope_or_none() -> Scope | None:
    """The tenant's id, EVERYONE, or None where no scope is active."""
    return _scope.get()


def current_scope() -> Scope:
    """The tenant's id, or EVERYONE. Raises NoActiveTenant."""
    scope = _scope.get()
    if scope is None:
        raise NoActiveTenant("no active tenant: wrap this in tenant_scope(tenant_id)")
    return scope


def check_writable(tenant_id: UUID | None) -> None:
    """Raises NoActiveTenant, or WrongTenant when the scope is another tenant's."""
    scope = current_scope()
    if scope != EVERYONE and scope != tenant_id:
        raise WrongTenant(f"a row of tenant {tenant_id} cannot be written in the scope of {scope}")


class TenantScopedQuerySet(models.QuerySet):
    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        rows = list(objs)
        for row in rows:
            check_writable(row.tenant_id)
        return super().bulk_create(rows, *args, **kwargs)


class TenantScopedManager(models.Manager.from_queryset(TenantScopedQuerySet)):  # type: ignore[misc]
    tenant_field = "tenant_id"

    def get_queryset(self) -> TenantScopedQuerySet:
        scope = current_scope()
        rows: TenantScopedQuerySet = super().get_queryset()
        return rows if scope == EVERYONE else rows.filter(**{self.tenant_field: scope})


class TenantOwned(models.Model):
    """A row that belongs to one tenant. Also relations and `refresh_from_db` go through the scope."""

    tenant = models.ForeignKey("sessions_app.Tenant", on_delete=models.CASCADE, related_name="+")

    objects = TenantScopedManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_writable(self.tenant_id)
        super().save(*args, **kwargs)
