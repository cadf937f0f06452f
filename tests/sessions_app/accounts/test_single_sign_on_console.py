"""The console's page of a tenant's provider: owners set it up, and see in words whether it will do."""

import pytest
from django.urls import reverse

from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.tenants.audit import broken
from sessions_app.tenants.models import AuditEntry, Role
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.office import make_member, make_operator, make_tenant, signed_in
from tests.fakes.provider import CLIENT, SECRET
from tests.sessions_app.accounts.sign_on import connect, log_in, logged_in_as

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:sessions_app_singlesignon_changelist"), reverse("admin:sessions_app_singlesignon_add")
PEOPLE = reverse("admin:sessions_app_ssoidentity_changelist")


@pytest.fixture
def tenant(db):
    return make_tenant()


@pytest.fixture
def owner(tenant):
    return signed_in(make_member(tenant))


def filled(provider, **changes):
    form = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "enabled": "on"}
    return {**form, "domains": "Example.com\n@b.example", **changes}


def row(tenant):
    with tenant_scope(tenant.pk):
        return SingleSignOn.objects.first()


def page(sso, name="change"):
    return reverse(f"admin:sessions_app_singlesignon_{name}", args=[sso.pk])


def test_an_owner_sets_it_up_and_people_log_in(tenant, owner, provider):
    assert owner.get(LIST)["Location"] == ADD
    assert owner.post(ADD, filled(provider)).status_code == 302
    sso = row(tenant)
    assert (sso.domains, sso.unsealed()) == (["example.com", "b.example"], SECRET)
    assert SECRET not in sso.secret
    assert owner.get(LIST)["Location"] == page(sso)
    shown = owner.get(page(sso)).content.decode()
    assert SECRET not in shown
    assert sso.secret not in shown
    assert reverse("account_sso_callback") in shown
    assert reverse("account_sso_start", args=[tenant.slug]) in shown
    person = make_member(tenant, Role.VIEWER)
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    assert logged_in_as(client) == str(person.pk)
    assert person.email in owner.get(PEOPLE).content.decode()


def test_the_audit_log_tells_everything_but_the_secret(tenant, owner, provider):
    owner.post(ADD, filled(provider))
    owner.post(page(row(tenant)), filled(provider, client_secret="another", client_id="c2"))
    with tenant_scope(tenant.pk):
        made, changed = AuditEntry.objects.filter(action__startswith="singlesignon.").order_by("number")
        assert broken(str(tenant.pk)) is None
    assert (made.action, made.after["issuer"], made.after["secret"]) == (
        "singlesignon.created", provider.issuer, "(hidden)",
    )  # fmt: skip
    assert changed.after == {"client_id": "c2", "secret": "(hidden)"}


def test_an_empty_secret_stays_except_for_another_provider(tenant, owner, provider):
    owner.post(ADD, filled(provider))
    assert owner.post(page(row(tenant)), filled(provider, client_secret="", client_id="c2")).status_code == 302
    assert (row(tenant).client_id, row(tenant).unsealed()) == ("c2", SECRET)
    answer = owner.post(page(row(tenant)), filled(provider, client_secret="", issuer="https://evil.example"))
    assert "Enter the client secret" in answer.content.decode()
    assert row(tenant).issuer == provider.issuer


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "http://login.example.com"}, "must begin with https://"),
        ({"issuer": "https://10.0.0.1"}, "not a public address"),
        ({"issuer": "https://login.example.com/?x=1"}, "Leave ? and #"),
        ({"issuer": "login.example.com"}, "begins with https://"),
        ({"domains": "example"}, "is no domain"),
        ({"domains": "*.example.com"}, "is no domain"),
        ({"domains": ""}, "required"),
        ({"client_secret": ""}, "Enter the client secret"),
    ],
)
def test_what_cannot_be_is_said_in_words(tenant, owner, provider, changes, words):
    answer = owner.post(ADD, filled(provider, **changes))
    assert (answer.status_code, row(tenant)) == (200, None)
    assert words in answer.content.decode()


def test_the_connection_is_tested_anew_each_time(tenant, owner, provider):
    sso = connect(tenant, provider)
    test = page(sso, "test_connection")
    assert "offers what is needed" in owner.get(test, follow=True).content.decode()
    provider.documents["openid-configuration"] = provider.discovery(issuer="https://evil.example")
    assert "Write it exactly so" in owner.get(test, follow=True).content.decode()
    assert len(provider.asked) == 2


def test_only_owners_say_whom_to_believe(tenant, provider):
    sso = connect(tenant, provider)
    for role in (Role.ADMIN, Role.EDITOR, Role.VIEWER):
        client = signed_in(make_member(tenant, role))
        assert client.get(page(sso)).status_code == 200
        assert client.post(page(sso), filled(provider, client_id="mine")).status_code == 403
        assert client.get(page(sso, "test_connection")).status_code == 403
    assert row(tenant).client_id == CLIENT
    assert provider.asked == []


def test_another_tenants_is_not_there(tenant, owner, provider):
    theirs = connect(make_tenant(), provider)
    for name in ("change", "delete", "test_connection"):
        assert owner.get(page(theirs, name)).status_code == 404
    assert signed_in(make_operator()).get(page(theirs)).status_code in {403, 404}


def test_an_owner_takes_an_identity_out_and_the_address_is_bound_anew(tenant, owner, provider):
    connect(tenant, provider)
    person = make_member(tenant)
    log_in(tenant, provider, sub="p1", email=person.email)
    with tenant_scope(tenant.pk):
        bound = SsoIdentity.objects.get()
    delete = reverse("admin:sessions_app_ssoidentity_delete", args=[bound.pk])
    assert signed_in(make_member(tenant, Role.ADMIN)).post(delete, {"post": "yes"}).status_code == 403
    assert owner.post(delete, {"post": "yes"}).status_code == 302
    client, _ = log_in(tenant, provider, sub="p2", email=person.email)
    assert logged_in_as(client) == str(person.pk)
