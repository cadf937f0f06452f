"""Tenants: an operator's key opens and lists them, a tenant's own key sees and names its own."""

from datetime import datetime
from typing import Any

from django.db import transaction
from ninja import Query, Router, Schema, Status
from pydantic import Field

from sessions_app.edge.callers import CalledRequest, Key, OperatorKey
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import Conflict, Forbidden, NotFound
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import Email, Label, Slug, errors
from sessions_app.tenants import ids
from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.invitations import open_tenant
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.permissions import Can

router = Router(tags=["tenants"], auth=[OperatorKey(), Key()])


class TenantIn(Schema):
    name: Label
    slug: Slug = Field(description="Part of the address of its pages.")
    owner: Email = Field(description="E-mail address of the person who runs it.")


class TenantChange(Schema):
    name: Label | None = None
    second_factor_required: bool | None = Field(None, description="Not for operators: it is the tenant's to say.")


class TenantOut(Schema):
    id: str
    slug: str
    name: str
    second_factor_required: bool
    created_at: datetime

    @staticmethod
    def resolve_id(tenant: Tenant) -> str:
        return ids.public(ids.TENANT, tenant.pk)


class TenantOpened(Schema):
    tenant: TenantOut
    invitation: str = Field(description="The owner's link, this once; it was sent by mail, too.")


@router.get("/tenants", response={200: Page[TenantOut], **errors()})
@in_scope
def list_tenants(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    """All, for an operator's key; a tenant's key sees its own."""
    request.auth.need(_reading(request))
    return page_of(Tenant.objects.all(), page, "-created_at", "-id")


@router.post("/tenants", auth=OperatorKey(), response={201: TenantOpened, **errors(409)})
@in_scope
def create_tenant(request: CalledRequest, body: TenantIn) -> Status:
    """Opens a tenant, and invites its owner by mail."""
    request.auth.need(Can.RUN_INSTALLATION)
    if Tenant.objects.filter(slug=body.slug).exists():
        raise Conflict(f"There is a tenant {body.slug} already. Choose another slug.")
    tenant, link = open_tenant(name=body.name, slug=body.slug, owner=body.owner, by=request.auth.label)
    return Status(201, {"tenant": tenant, "invitation": link})


@router.get("/tenants/{tenant_id}", response={200: TenantOut, **errors()})
@in_scope
def read_tenant(request: CalledRequest, tenant_id: str) -> Tenant:
    return _tenant(request, tenant_id, _reading(request))


@router.patch("/tenants/{tenant_id}", response={200: TenantOut, **errors()})
@in_scope
def change_tenant(request: CalledRequest, tenant_id: str, body: TenantChange) -> Tenant:
    operator = request.auth.kind == "operator"
    tenant = _tenant(request, tenant_id, Can.RUN_INSTALLATION if operator else Can.WRITE_TENANT)
    if operator and body.second_factor_required is not None:
        raise Forbidden("What a tenant asks of its own people is the tenant's to say.")
    before, wanted = fields_of(tenant), body.model_dump(exclude_none=True)
    for name, value in wanted.items():
        setattr(tenant, name, value)
    with transaction.atomic():
        tenant.save(update_fields=[*wanted])
        record(
            "tenant.changed", tenant, tenant_id=None if operator else tenant.pk, before=before, after=fields_of(tenant)
        )
    return tenant


def _reading(request: CalledRequest) -> Can:
    return Can.RUN_INSTALLATION if request.auth.kind == "operator" else Can.READ_TENANT


def _tenant(request: CalledRequest, tenant_id: str, can: Can) -> Tenant:
    if not ids.is_id(ids.TENANT, tenant_id):
        raise NotFound("There is no such tenant.")
    return found(request, Tenant.objects.all(), can, pk=ids.parsed(ids.TENANT, tenant_id))
