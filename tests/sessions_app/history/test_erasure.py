"""Erasing a visitor in the console. By the API: tests/sessions_app/edge/resources/test_visitors.py."""

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from sessions_app.history.models import Session, SessionState
from sessions_app.history.services import apply_records
from sessions_app.tenants.models import AuditEntry, Role
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db


def of(assistant, visitor, **fields):
    session = make_session(assistant)
    with tenant_scope(assistant.tenant_id):
        Session.objects.filter(pk=session.pk).update(visitor=visitor, **fields)
    apply_records([told(session)])
    return session


def page(session, view="erase"):
    return reverse(f"admin:sessions_app_session_{view}", args=[quote(session.pk)])


def left(tenant):
    with tenant_scope(tenant.id):
        return set(Session.objects.values_list("visitor", flat=True))


@pytest.fixture
def assistant():
    return make_assistant(make_tenant())


def test_an_admin_is_asked_and_then_it_is_done(assistant):
    first, _, _ = of(assistant, "kim"), of(assistant, "kim"), of(assistant, "robin")
    admin = signed_in(make_member(assistant.tenant, Role.ADMIN))
    assert "Erase this visitor" in admin.get(page(first, "change")).content.decode()
    assert "2 sessions will be deleted" in admin.get(page(first)).content.decode()
    assert left(assistant.tenant) == {"kim", "robin"}
    assert "Erased: 2 sessions" in admin.post(page(first), follow=True).content.decode()
    assert left(assistant.tenant) == {"robin"}
    with everyone():
        entry = AuditEntry.objects.get(action="visitor.erased")
    assert (entry.after, "kim" in str(entry.__dict__)) == ({"sessions": 2}, False)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_others_may_not(assistant, role):
    session = of(assistant, "kim")
    client = signed_in(make_member(assistant.tenant, role))
    assert "Erase this visitor" not in client.get(page(session, "change")).content.decode()
    assert client.post(page(session)).status_code == 403
    assert left(assistant.tenant) == {"kim"}


def test_a_visitor_in_a_call_is_erased_when_it_has_ended(assistant):
    session = of(assistant, "kim", state=SessionState.LIVE)
    admin = signed_in(make_member(assistant.tenant, Role.ADMIN))
    assert "in a call just now" in admin.post(page(session)).content.decode()
    assert left(assistant.tenant) == {"kim"}


def test_somebody_without_a_name_cannot_be_erased_with_all_others(assistant):
    session = of(assistant, "")
    admin = signed_in(make_member(assistant.tenant, Role.ADMIN))
    assert admin.post(page(session)).status_code == 403
    assert left(assistant.tenant) == {""}


def test_another_tenants_visitor_of_the_same_name_stays(assistant):
    theirs = of(make_assistant(make_tenant()), "kim")
    mine = of(assistant, "kim")
    admin = signed_in(make_member(assistant.tenant, Role.ADMIN))
    assert admin.post(page(theirs)).status_code == 404
    admin.post(page(mine))
    assert left(theirs.tenant) == {"kim"}


def test_sessions_are_found_by_their_visitor(assistant):
    session = of(assistant, "kim")
    listed = signed_in(make_member(assistant.tenant)).get(
        reverse("admin:sessions_app_session_changelist"), {"q": "kim"}
    )
    assert quote(session.pk) in listed.content.decode()
