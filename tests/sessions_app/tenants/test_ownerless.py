"""A tenant that nobody runs: operators invite an owner, and only there."""

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from sessions_app.tenants.models import AuditEntry, Invitation, Membership, Role
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_member, make_operator, make_tenant, signed_in

pytestmark = pytest.mark.django_db


def page(tenant):
    return reverse("admin:sessions_app_tenant_invite_owner", args=[quote(str(tenant.pk))])


def invited(tenant):
    with everyone():
        return list(Invitation.objects.filter(tenant=tenant).values_list("email", "role"))


@pytest.mark.parametrize("name", ["nothing", "1", "00000000-0000-0000-0000-000000000000", "ten_5Fx"])
def test_what_is_no_tenant_gets_no_owner(name):
    address = reverse("admin:sessions_app_tenant_invite_owner", args=[name])
    for answer in (signed_in(make_operator()).get(address), signed_in(make_operator()).post(address)):
        assert answer.status_code == 403


@pytest.mark.parametrize("others", [[], [Role.ADMIN, Role.VIEWER]])
def test_an_operator_invites_an_owner_where_there_is_none(others):
    tenant = make_tenant()
    for role in others:
        make_member(tenant, role)
    client = signed_in(make_operator())
    assert (
        "Invite an owner" in client.get(reverse("admin:sessions_app_tenant_change", args=[tenant.pk])).content.decode()
    )
    assert client.get(page(tenant)).status_code == 200
    answer = client.post(page(tenant), {"email": "Kim@example.com"})
    assert "/accounts/invitation/" in answer.content.decode()
    assert invited(tenant) == [("kim@example.com", "owner")]
    with everyone():
        entry = AuditEntry.objects.filter(chain=str(tenant.pk)).latest("number")
    assert (entry.action, entry.actor_kind) == ("member.invited", "operator")


def test_no_operator_comes_between_an_owner_and_their_tenant():
    tenant = make_tenant()
    make_member(tenant, Role.OWNER)
    client = signed_in(make_operator())
    shown = client.get(reverse("admin:sessions_app_tenant_change", args=[tenant.pk])).content.decode()
    assert page(tenant) not in shown
    assert client.post(page(tenant), {"email": "kim@example.com"}).status_code in {403, 404}
    assert invited(tenant) == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_nobody_but_an_operator_does(role):
    tenant = make_tenant()
    client = signed_in(make_member(tenant, role))
    assert client.post(page(tenant), {"email": "kim@example.com"}).status_code in {302, 403, 404}
    elsewhere = make_tenant()
    assert client.post(page(elsewhere), {"email": "kim@example.com"}).status_code in {302, 403, 404}
    assert invited(tenant) == invited(elsewhere) == []
    with everyone():
        assert not Membership.objects.filter(role=Role.OWNER, tenant=tenant).exists()


def test_an_address_that_is_none_is_said_so():
    tenant = make_tenant()
    assert "valid email" in signed_in(make_operator()).post(page(tenant), {"email": "kim"}).content.decode()
    assert invited(tenant) == []
