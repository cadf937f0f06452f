"""An operator looks into a tenant: only with a reason, only for a while, only to read, and the tenant can tell."""

from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone

from sessions_app.tenants import standing
from sessions_app.tenants.models import AuditEntry, Role, Tenant
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_assistant, make_member, make_operator, make_session, make_tenant, signed_in

pytestmark = pytest.mark.django_db
WHY = "Ticket 812: calls end after a minute"


@pytest.fixture
def riverside():
    return make_tenant("Riverside")


@pytest.fixture
def session(riverside):
    return make_session(make_assistant(riverside))


def look(client, tenant, reason=WHY):
    return client.post(reverse("admin:sessions_app_tenant_look_into", args=[tenant.pk]), {"reason": reason})


def status(client, model, view, *args):
    return client.get(reverse(f"admin:sessions_app_{model}_{view}", args=[quote(str(arg)) for arg in args])).status_code


def test_an_operator_looks_into_one_tenant_and_changes_nothing(riverside, session):
    other = make_session(make_assistant(make_tenant("Harbor")))
    client = signed_in(make_operator())
    assert status(client, "session", "change", session.pk) == 403
    assert look(client, riverside).status_code == 302
    assert status(client, "session", "change", session.pk) == 200
    assert status(client, "session", "change", other.pk) == 404
    for model in ("assistant", "membership", "secretkey", "publishablekey"):
        assert status(client, model, "changelist") == 200
        assert status(client, model, "add") == 403
    answer = client.post(
        reverse("admin:sessions_app_assistant_change", args=[quote(session.assistant_id)]), {"name": "Changed"}
    )
    assert answer.status_code == 403
    chosen = {"action": "publish_chosen", "_selected_action": [str(session.assistant_id)]}
    client.post(reverse("admin:sessions_app_assistant_changelist"), chosen)
    with everyone():
        assert not AuditEntry.objects.filter(actor_kind="operator", action="assistant.published").exists()


def test_every_page_says_so_and_the_operator_leaves(riverside, session):
    client = signed_in(make_operator())
    look(client, riverside)
    text = client.get(reverse("admin:index")).content.decode()
    assert "You are looking into <b>Riverside</b>" in text
    assert status(client, "user", "changelist") == 403
    assert status(client, "soakrun", "changelist") == 403
    client.post(reverse("admin:tenant_look_away"))
    assert "You are looking into" not in client.get(reverse("admin:index")).content.decode()
    assert status(client, "session", "change", session.pk) == 403
    assert status(client, "user", "changelist") == 200


def test_the_tenant_reads_who_looked_and_why(riverside):
    operator = make_operator()
    client = signed_in(operator)
    look(client, riverside)
    client.post(reverse("admin:tenant_look_away"))
    text = signed_in(make_member(riverside, Role.OWNER)).get(reverse("admin:sessions_app_auditentry_changelist"))
    for words in ("tenant.looked_into", "tenant.left", operator.email, WHY):
        assert words in text.content.decode()


@pytest.mark.parametrize("reason", ["", "why", " " * 20])
def test_without_a_reason_nobody_looks(riverside, session, reason):
    client = signed_in(make_operator())
    assert look(client, riverside, reason).status_code == 200
    assert status(client, "session", "change", session.pk) == 403
    with everyone():
        assert not AuditEntry.objects.filter(action="tenant.looked_into").exists()


def test_a_look_ends_by_itself(riverside, session, monkeypatch):
    client = signed_in(make_operator())
    look(client, riverside)
    later = timezone.now() + timedelta(minutes=standing.LOOK_MINUTES, seconds=1)
    monkeypatch.setattr(standing.timezone, "now", lambda: later)
    assert status(client, "session", "change", session.pk) == 403


def test_a_look_into_a_tenant_that_is_gone_ends(riverside, session):
    client = signed_in(make_operator())
    empty = make_tenant("Empty")
    look(client, empty)
    with everyone():
        Tenant.objects.get(pk=empty.pk).delete()
    assert status(client, "user", "changelist") == 200


def test_nobody_else_looks(riverside, session):
    charlie = signed_in(make_member(make_tenant("Harbor"), Role.OWNER))
    assert look(charlie, riverside).status_code in {403, 404}
    own = signed_in(make_member(riverside, Role.OWNER))
    assert look(own, riverside).status_code == 403
    charlie.post(reverse("admin:tenant_look_away"))
    assert status(charlie, "session", "change", session.pk) == 404
