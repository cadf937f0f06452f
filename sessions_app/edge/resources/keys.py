"""A tenant's keys. Made, listed and revoked, never deleted: what a key did stays explainable."""

from datetime import datetime
from typing import Annotated, Any

from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, AwareDatetime, Field

from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import Forbidden
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import Label, errors
from sessions_app.tenants.keys import checked_origin
from sessions_app.tenants.models import PublishableKey, SecretKey, Tenant
from sessions_app.tenants.permissions import KEY_SCOPES, SESSION_SCOPES, Can
from sessions_app.tenants.services import issue_publishable_key, issue_secret_key, revoke_key

router = Router(tags=["keys"], auth=Key())


def _ahead(moment: datetime) -> datetime:
    if moment <= timezone.now():
        raise ValueError("must lie ahead")
    return moment


def _scope(can: Can) -> Can:
    if can not in KEY_SCOPES:
        raise ValueError(f"no key may have {can.value}")
    return can


Origin = Annotated[str, Field(max_length=300), AfterValidator(checked_origin)]
Scope = Annotated[Can, AfterValidator(_scope)]


class SecretKeyIn(Schema):
    label: Label
    scopes: list[Scope] = Field(list(SESSION_SCOPES), max_length=len(KEY_SCOPES))
    expires_at: Annotated[AwareDatetime, AfterValidator(_ahead)] | None = None


class SecretKeyOut(Schema):
    id: str
    label: str
    prefix: str = Field(description="How the key begins.")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class SecretKeyMade(SecretKeyOut):
    key: str = Field(description="The key itself, this once.")


class PublishableKeyIn(Schema):
    label: Label
    allowed_origins: list[Origin] = Field([], max_length=50, description="None: the installation's own pages.")


class PublishableKeyOut(Schema):
    id: str
    label: str
    key: str
    allowed_origins: list[str]
    created_at: datetime
    revoked_at: datetime | None


@router.get("/secret-keys", response={200: Page[SecretKeyOut], **errors()})
@in_scope
def list_secret_keys(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    request.auth.need(Can.READ_KEYS)
    return page_of(SecretKey.objects.all(), page, "-created_at", "-id")


@router.post("/secret-keys", response={201: SecretKeyMade, **errors()})
@in_scope
def create_secret_key(request: CalledRequest, body: SecretKeyIn) -> Status:
    """A key gives no more than it has itself."""
    caller = request.auth
    caller.need(Can.WRITE_KEYS)
    beyond = [can.value for can in body.scopes if can not in caller.scopes]
    if beyond:
        raise Forbidden(f"This key has no scope {', '.join(beyond)} itself, so it cannot give it.")
    row, raw = issue_secret_key(tenant=_tenant(), label=body.label, scopes=body.scopes, expires_at=body.expires_at)
    return Status(201, {**SecretKeyOut.from_orm(row).dict(), "key": raw})


@router.get("/secret-keys/{secret_key_id}", response={200: SecretKeyOut, **errors()})
@in_scope
def read_secret_key(request: CalledRequest, secret_key_id: str) -> SecretKey:
    return found(request, SecretKey.objects.all(), Can.READ_KEYS, pk=secret_key_id)


@router.delete("/secret-keys/{secret_key_id}", response={204: None, **errors()})
@in_scope
def revoke_secret_key(request: CalledRequest, secret_key_id: str) -> Status:
    """From now on it opens nothing. Twice is once."""
    revoke_key(key=found(request, SecretKey.objects.all(), Can.WRITE_KEYS, pk=secret_key_id))
    return Status(204, None)


@router.get("/publishable-keys", response={200: Page[PublishableKeyOut], **errors()})
@in_scope
def list_publishable_keys(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    request.auth.need(Can.READ_KEYS)
    return page_of(PublishableKey.objects.all(), page, "-created_at", "-id")


@router.post("/publishable-keys", response={201: PublishableKeyOut, **errors()})
@in_scope
def create_publishable_key(request: CalledRequest, body: PublishableKeyIn) -> Status:
    request.auth.need(Can.WRITE_KEYS)
    row = issue_publishable_key(tenant=_tenant(), label=body.label, allowed_origins=body.allowed_origins)
    return Status(201, row)


@router.get("/publishable-keys/{publishable_key_id}", response={200: PublishableKeyOut, **errors()})
@in_scope
def read_publishable_key(request: CalledRequest, publishable_key_id: str) -> PublishableKey:
    return found(request, PublishableKey.objects.all(), Can.READ_KEYS, pk=publishable_key_id)


@router.delete("/publishable-keys/{publishable_key_id}", response={204: None, **errors()})
@in_scope
def revoke_publishable_key(request: CalledRequest, publishable_key_id: str) -> Status:
    """From now on it opens nothing. Twice is once."""
    revoke_key(key=found(request, PublishableKey.objects.all(), Can.WRITE_KEYS, pk=publishable_key_id))
    return Status(204, None)


def _tenant() -> Tenant:
    """The only one in scope."""
    return Tenant.objects.get()
