"""The people of a tenant. Owners are made and unmade by owners, never by a key."""

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import Conflict, Forbidden
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import Email, errors
from sessions_app.tenants.invitations import invite
from sessions_app.tenants.models import Membership, Role, Tenant
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.services import change_role, remove_member

router = Router(tags=["members"], auth=Key())


class MemberOut(Schema):
    id: str
    email: str
    role: str
    created_at: datetime

    @staticmethod
    def resolve_id(member: Membership) -> str:
        return member.public_id

    @staticmethod
    def resolve_email(member: Membership) -> str:
        return member.user.email


class MemberIn(Schema):
    email: Email
    role: Literal["admin", "editor", "viewer"]


class InvitationOut(Schema):
    id: str
    email: str
    role: str
    expires_at: datetime
    link: str = Field(description="This once; it was sent by mail, too.")


class MemberChange(Schema):
    role: Literal["admin", "editor", "viewer"]


@router.get("/members", response={200: Page[MemberOut], **errors()})
@in_scope
def list_members(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    request.auth.need(Can.READ_MEMBERS)
    return page_of(Membership.objects.select_related("user"), page, "-created_at", "-public_id")


@router.post("/members", response={201: InvitationOut, **errors(409)})
@in_scope
def invite_member(request: CalledRequest, body: MemberIn) -> Status:
    """Invites a person by mail. They are a member once they have accepted."""
    request.auth.need(Can.WRITE_MEMBERS)
    if Membership.objects.filter(user__email=body.email).exists():
        raise Conflict(f"{body.email} is a member already. Change their role instead.")
    row, link = invite(tenant=Tenant.objects.get(), email=body.email, role=Role(body.role), by=request.auth.label)
    fields = {name: getattr(row, name) for name in ("id", "email", "role", "expires_at")}
    return Status(201, {**fields, "link": link})


@router.get("/members/{member_id}", response={200: MemberOut, **errors()})
@in_scope
def read_member(request: CalledRequest, member_id: str) -> Membership:
    return _member(request, member_id, Can.READ_MEMBERS)


@router.patch("/members/{member_id}", response={200: MemberOut, **errors()})
@in_scope
def change_member(request: CalledRequest, member_id: str, body: MemberChange) -> Membership:
    member = _no_owner(_member(request, member_id, Can.WRITE_MEMBERS))
    change_role(membership=member, role=Role(body.role))
    return member


@router.delete("/members/{member_id}", response={204: None, **errors()})
@in_scope
def delete_member(request: CalledRequest, member_id: str) -> Status:
    """Their login stays; this tenant is closed to them."""
    remove_member(membership=_no_owner(_member(request, member_id, Can.WRITE_MEMBERS)))
    return Status(204, None)


def _member(request: CalledRequest, member_id: str, can: Can) -> Membership:
    return found(request, Membership.objects.select_related("user"), can, public_id=member_id)


def _no_owner(member: Membership) -> Membership:
    if member.role == Role.OWNER:
        raise Forbidden("Owners are changed by owners, in the console.")
    return member
