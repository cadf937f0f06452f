"""Logging in at a tenant's own provider: whom it lets in, and how far."""

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from sessions_app.accounts.models import SingleSignOn
from sessions_app.tenants.invitations import take_back
from sessions_app.tenants.models import Invitation, Membership, Role, Tenant, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import remove_member
from tests.fakes.office import make_member, make_tenant, signed_in
from tests.fakes.provider import EC
from tests.sessions_app.accounts.sign_on import (
    CALLBACK,
    CHOOSE,
    CONSOLE,
    asked,
    begin,
    entries,
    log_in,
    logged_in_as,
    text,
)

pytestmark = pytest.mark.django_db


# The way in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("basic", [True, False])
@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_a_member_logs_in_and_stands_in_the_console(tenant, provider, kind, basic):
    provider.basic = basic
    if kind == "ES256":
        provider.sign = lambda claims: jwt.encode(claims, EC, "ES256", headers={"kid": "e1"})
    person = make_member(tenant, Role.EDITOR)
    client, answer = log_in(tenant, provider, sub="p1", email=person.email.upper())
    assert (answer.status_code, answer["Location"]) == (302, CONSOLE)
    assert client.get(CONSOLE).status_code == 200
    assert tenant.name in text(client.get(CONSOLE))
    assert entries(tenant, "login")[0].after == {"by": "single sign-on"}
    assert UserSession.objects.filter(user=person).count() == 1
    assert provider.asked == ["openid-configuration", "token", "keys"]


def test_the_login_page_leads_there_and_asks_for_the_tenant(tenant):
    client = Client()
    assert CHOOSE in text(client.get(reverse("account_login")))
    assert reverse("account_sso_start", args=[tenant.slug]) in text(client.get(CHOOSE, {"tenant": tenant.slug}))
    for slug in ("nowhere", make_tenant().slug):
        assert "no single sign-on" in text(client.get(CHOOSE, {"tenant": slug}))
        assert client.get(reverse("account_sso_start", args=[slug])).status_code == 404


def test_no_other_site_starts_a_login(tenant, provider):
    answer = Client().get(reverse("account_sso_start", args=[tenant.slug]), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer["Location"] == f"{CHOOSE}?tenant={tenant.slug}"
    assert provider.asked == []


def test_who_is_logged_in_is_taken_to_the_console(tenant, provider):
    assert begin(signed_in(make_member(tenant)), tenant)["Location"] == CONSOLE
    assert provider.asked == []


def test_starting_is_limited_by_address(tenant):
    client = Client()
    assert [begin(client, tenant).status_code for _ in range(31)] == [302] * 30 + [429]


def test_off_is_off(tenant):
    with tenant_scope(tenant.pk):
        SingleSignOn.objects.update(enabled=False)
    assert begin(Client(), tenant).status_code == 404


def test_switched_off_meanwhile_nobody_comes_back(tenant, provider):
    person, client = make_member(tenant), Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    with tenant_scope(tenant.pk):
        SingleSignOn.objects.update(enabled=False)
    assert client.get(CALLBACK, brought).status_code == 404
    assert logged_in_as(client) is None


def test_the_second_factor_is_the_providers_to_ask_for(tenant, provider):
    with everyone():
        Tenant.objects.update(second_factor_required=True)
    with_one, without = make_member(tenant), make_member(tenant)
    TOTP.activate(with_one, generate_totp_secret())
    for person in (with_one, without):
        client, _ = log_in(tenant, provider, sub=person.email, email=person.email)
        assert client.get(CONSOLE).status_code == 200


def test_a_removed_member_stands_nowhere_at_once(tenant, provider):
    person = make_member(tenant, Role.EDITOR)
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    with tenant_scope(tenant.pk):
        remove_member(membership=Membership.objects.get(user=person))
    assert tenant.name not in text(client.get(CONSOLE, follow=True))
    _, answer = log_in(tenant, provider, sub="p1", email=person.email)
    assert answer.status_code == 403
    asked(tenant, person.email)
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    assert client.get(CONSOLE).status_code == 200


def test_an_ended_session_is_over(tenant, provider):
    person = make_member(tenant)
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    UserSession.objects.get(user=person).end()
    assert client.get(CONSOLE).status_code == 302


# Who is who ---------------------------------------------------------------------------------------------------------


def test_from_the_second_time_on_the_subject_says_who_it_is(tenant, provider):
    first, second = make_member(tenant), make_member(tenant)
    log_in(tenant, provider, sub="p1", email=first.email)
    for address in ("renamed@example.com", second.email):
        client, _ = log_in(tenant, provider, sub="p1", email=address)
        assert logged_in_as(client) == str(first.pk)
    assert [entry.after["subject"] for entry in entries(tenant, "single_sign_on.bound")] == ["p1"]


def test_an_address_that_went_to_another_person_lets_nobody_in(tenant, provider):
    person = make_member(tenant)
    log_in(tenant, provider, sub="p1", email=person.email)
    client, answer = log_in(tenant, provider, sub="p2", email=person.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)
    assert "another person" in text(answer)


def test_a_newcomer_with_an_invitation_becomes_a_member(tenant, provider):
    invitation = asked(tenant, "new@example.com")
    client, answer = log_in(tenant, provider, sub="n1", email="new@example.com")
    assert answer.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert logged_in_as(client) == str(user.pk)
    assert not user.has_usable_password()
    with tenant_scope(tenant.pk):
        assert Membership.objects.get(user=user).role == Role.EDITOR
        assert Invitation.objects.get(pk=invitation.pk).state == "accepted"


def test_nobody_comes_in_uninvited(tenant, provider):
    gone = asked(tenant, "gone@example.com")
    with tenant_scope(tenant.pk):
        take_back(invitation=gone)
    asked(make_tenant(), "theirs@example.com")
    for address in ("stranger@example.com", "gone@example.com", "theirs@example.com"):
        client, answer = log_in(tenant, provider, sub=address, email=address)
        assert (answer.status_code, logged_in_as(client)) == (403, None), address
        assert not User.objects.filter(email=address).exists()
    assert len(entries(tenant, "single_sign_on.refused")) == 3


def test_who_has_a_login_agrees_with_that_login(tenant, provider):
    person = make_member(make_tenant())
    asked(tenant, person.email)
    client, answer = log_in(tenant, provider, sub="p1", email=person.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)
    assert "by the link" in text(answer)
    with tenant_scope(tenant.pk):
        assert not Membership.objects.filter(user=person).exists()


def test_a_closed_login_stays_closed(tenant, provider):
    person = make_member(tenant)
    log_in(tenant, provider, sub="p1", email=person.email)
    User.objects.filter(pk=person.pk).update(is_active=False)
    client, answer = log_in(tenant, provider, sub="p1", email=person.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)
