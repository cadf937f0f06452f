"""A tenant that wants more than a password of its members, and an installation that wants it of its operators."""

import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY, WebAuthn
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from sessions_app.tenants.models import AuditEntry, Role, Tenant
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import add_member, issue_operator_key, issue_secret_key
from tests.fakes.office import (
    PASSWORD,
    make_assistant,
    make_member,
    make_operator,
    make_session,
    make_tenant,
    signed_in,
)
from tests.fakes.passkey import Passkey

pytestmark = pytest.mark.django_db
CONSOLE, SET_UP = reverse("admin:index"), reverse("account_second_factor")


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()
    yield
    cache.clear()


def strict(name=""):
    tenant = make_tenant(name)
    require(tenant)
    return tenant


def require(tenant, required=True):
    with everyone():
        Tenant.objects.filter(pk=tenant.pk).update(second_factor_required=required)


def confirmed(person):
    client = signed_in(person)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.mark.parametrize("role", list(Role))
def test_without_one_no_page_of_the_console_opens(role):
    tenant = strict()
    session = make_session(make_assistant(tenant))
    client = signed_in(make_member(tenant, role))
    opened = [CONSOLE, f"{CONSOLE}?tenant={tenant.pk}", f"{CONSOLE}nowhere/", reverse("admin:jsi18n")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        opened += [reverse(f"{name}_changelist"), f"{reverse(f'{name}_changelist')}add/"]
    opened.append(reverse("admin:sessions_app_session_change", args=[session.pk]))
    for path in opened:
        for ask in (client.get, client.post):
            answer = ask(path)
            assert (answer.status_code, answer["Location"]) == (302, SET_UP), path
    assert tenant.name in client.get(SET_UP).content.decode()


@pytest.mark.parametrize("kind", ["app", "key"])
def test_with_one_it_opens(kind):
    person = make_member(strict())
    client = signed_in(person)
    if kind == "app":
        TOTP.activate(person, generate_totp_secret())
    else:
        WebAuthn.add(person, "Key", Passkey().added("AAAA"))
    assert client.get(CONSOLE).status_code == 200
    assert "Nothing is missing" in client.get(SET_UP).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_first_one_ends_sessions_that_a_password_alone_opened():
    person = make_member(strict())
    here, elsewhere = confirmed(person), Client()
    elsewhere.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert elsewhere.get(CONSOLE)["Location"] == SET_UP
    page = reverse("mfa_activate_totp")
    here.get(page)
    secret = here.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert here.post(page, {"code": code}).status_code == 302
    assert here.get(CONSOLE).status_code == 200
    assert elsewhere.get(CONSOLE)["Location"].startswith("/admin/login/")


def test_recovery_codes_are_none():
    person = make_member(strict())
    RecoveryCodes.activate(person)
    assert signed_in(person).get(CONSOLE)["Location"] == SET_UP


def test_the_other_tenant_of_a_person_stays_open():
    closed, other = strict("A"), make_tenant("B")
    person = make_member(closed)
    with tenant_scope(other.pk):
        add_member(tenant=other, user=person, role=Role.OWNER)
    client = signed_in(person)
    assert client.get(CONSOLE)["Location"] == SET_UP
    assert f"{CONSOLE}?tenant={other.pk}" in client.get(SET_UP).content.decode()
    assert client.get(f"{CONSOLE}?tenant={other.pk}").status_code == 200
    assert client.get(CONSOLE).status_code == 200
    assert client.get(f"{CONSOLE}?tenant={closed.pk}")["Location"] == SET_UP


def test_owners_and_admins_say_so_and_the_audit_log_tells():
    tenant = make_tenant()
    page = reverse("admin:sessions_app_tenant_change", args=[tenant.pk])
    wanted = {"name": tenant.name, "second_factor_required": "on"}
    assert signed_in(make_member(tenant, Role.EDITOR)).post(page, wanted).status_code == 403
    signed_in(make_operator()).post(page, {**wanted, "slug": tenant.slug})
    with everyone():
        assert not Tenant.objects.get(pk=tenant.pk).second_factor_required
    client = signed_in(make_member(tenant, Role.ADMIN))
    assert client.post(page, wanted).status_code == 302
    with everyone():
        entry = AuditEntry.objects.filter(chain=str(tenant.pk)).latest("number")
    assert (entry.action, entry.after) == ("tenant.changed", {"second_factor_required": True})
    assert client.get(CONSOLE)["Location"] == SET_UP


def test_an_authenticator_app_that_is_the_last_stays():
    tenant = strict()
    person = make_member(tenant)
    TOTP.activate(person, generate_totp_secret())
    client, page = confirmed(person), reverse("mfa_deactivate_totp")
    assert "this is your last" in client.post(page).content.decode()
    assert Authenticator.objects.filter(user=person).count() == 1
    WebAuthn.add(person, "Key", Passkey().added("AAAA"))
    assert client.post(page).status_code == 302
    require(tenant, False)


def test_a_passkey_that_is_the_last_stays():
    tenant = strict()
    person = make_member(tenant)
    key = WebAuthn.add(person, "Key", Passkey().added("AAAA")).instance
    client, page = confirmed(person), reverse("mfa_remove_webauthn", args=[key.pk])
    assert "this is your last" in client.post(page, follow=True).content.decode()
    assert Authenticator.objects.filter(user=person).count() == 1
    require(tenant, False)
    client.post(page)
    assert not Authenticator.objects.filter(user=person).exists()


def test_what_is_no_key_opens_nothing():
    person = make_member(strict())
    client, page = confirmed(person), reverse("mfa_add_webauthn")
    client.get(page)
    assert client.session[STATE_SESSION_KEY]
    client.post(page, {"name": "Key", "credential": "0"})
    assert client.get(CONSOLE)["Location"] == SET_UP


def test_operators_only_where_the_installation_says_so(settings):
    operator, tenant = make_operator(), strict()
    client = signed_in(operator)
    assert client.get(CONSOLE).status_code == 200
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_operator_second_factor": True})
    assert client.get(CONSOLE)["Location"] == SET_UP
    look = reverse("admin:sessions_app_tenant_look_into", args=[tenant.pk])
    assert client.post(look, {"reason": "Ticket 812"})["Location"] == SET_UP
    TOTP.activate(operator, generate_totp_secret())
    assert client.get(CONSOLE).status_code == 200
    assert "this is your last" in confirmed(operator).post(reverse("mfa_deactivate_totp")).content.decode()


def test_the_api_says_so_for_the_tenant_alone(client):
    tenant = make_tenant()
    with tenant_scope(tenant.pk):
        _, key = issue_secret_key(tenant=tenant, label="server", scopes=[Can.READ_TENANT, Can.WRITE_TENANT])
    with everyone():
        _, operator = issue_operator_key(label="ops")

    def patch(raw, **body):
        address = f"/api/v1/tenants/ten_{tenant.pk.hex}"
        return client.patch(
            address, json.dumps(body), content_type="application/json", headers={"Authorization": f"Bearer {raw}"}
        )

    assert patch(operator, second_factor_required=True).status_code == 403
    answer = patch(key, second_factor_required=True)
    assert (answer.status_code, answer.json()["second_factor_required"]) == (200, True)
    assert patch(key, name="Another").json()["second_factor_required"] is True
    assert signed_in(make_member(tenant)).get(CONSOLE)["Location"] == SET_UP
