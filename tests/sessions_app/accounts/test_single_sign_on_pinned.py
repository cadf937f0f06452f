"""A tenant whose provider lies: how far its word reaches."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import URLResolver, reverse

from sessions_app.accounts import urls
from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.accounts.pinned import OPEN
from sessions_app.tenants.models import Membership, Role, User
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import add_member, remove_member
from tests.fakes.office import PASSWORD, make_member, make_operator, make_tenant, signed_in
from tests.sessions_app.accounts.sign_on import (
    CALLBACK,
    CONSOLE,
    asked,
    begin,
    connect,
    entries,
    log_in,
    logged_in_as,
    text,
)

pytestmark = pytest.mark.django_db


def test_it_becomes_no_operator(tenant, provider):
    operator = make_operator()
    asked(tenant, operator.email)
    for member in (False, True):
        if member:
            with tenant_scope(tenant.pk):
                add_member(tenant=tenant, user=operator, role=Role.OWNER)
        client, answer = log_in(tenant, provider, sub="o1", email=operator.email)
        assert (answer.status_code, logged_in_as(client)) == (403, None)


def test_who_becomes_an_operator_later_stands_nowhere_with_that_session(tenant, provider):
    person = make_member(tenant)
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    assert "Harbor" not in text(client.get(CONSOLE, follow=True))
    assert client.get(reverse("admin:sessions_app_user_changelist")).status_code == 403


def test_it_becomes_no_owner_of_another_tenant(tenant, provider):
    owner = make_member(make_tenant("Riverside"))
    client, answer = log_in(tenant, provider, sub="x", email=owner.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)


@pytest.fixture
def of_both(tenant, provider):
    """A member of two, in through one's provider: the other's name comes first."""
    other = make_tenant("A first one")
    person = make_member(other)
    with tenant_scope(tenant.pk):
        add_member(tenant=tenant, user=person, role=Role.VIEWER)
    client, _ = log_in(tenant, provider, sub="b", email=person.email)
    return client, person, other


def test_a_member_of_both_stays_in_that_one(tenant, of_both):
    client, person, other = of_both
    for path in (CONSOLE, f"{CONSOLE}?tenant={other.pk}", CONSOLE):
        page = text(client.get(path))
        assert tenant.name in page, path
        assert other.name not in page, path
    assert client.get(reverse("admin:sessions_app_tenant_change", args=[other.pk])).status_code == 404
    assert other.name in text(signed_in(person).get(CONSOLE))


def test_the_other_tenants_log_tells_nothing_of_it(tenant, of_both):
    client, _, other = of_both
    client.post(reverse("account_logout"))
    assert len(entries(tenant, "login")) == len(entries(tenant, "logout")) == 1
    assert entries(other, "login") == entries(other, "logout") == []


def test_removed_from_that_one_they_are_not_let_into_the_other(tenant, of_both):
    client, person, other = of_both
    with tenant_scope(tenant.pk):
        remove_member(membership=Membership.objects.get(user=person))
    assert other.name not in text(client.get(f"{CONSOLE}?tenant={other.pk}", follow=True))


def addresses(patterns, outer=()):
    for one in patterns:
        parts = (*outer, *getattr(one.pattern, "converters", ()), *one.pattern.regex.groupindex)
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, parts)
        else:
            yield one.name, reverse(one.name, kwargs=dict.fromkeys(parts, "1"))


CLOSED = sorted({(name, path) for name, path in addresses(urls.urlpatterns) if name not in OPEN})


@pytest.mark.parametrize(("name", "path"), [*CLOSED, ("password_change", reverse("admin:password_change"))])
def test_no_page_of_the_login_itself_opens(of_both, name, path):
    client, person, _ = of_both
    before = User.objects.get(pk=person.pk).password
    for ask in (client.get, client.post):
        answer = ask(
            path, {"password": PASSWORD, "oldpassword": PASSWORD, "password1": "x" * 12, "password2": "x" * 12}
        )
        assert answer.status_code == 403, path
        assert "Not from here" in text(answer)
    assert User.objects.get(pk=person.pk).password == before


def test_every_page_of_the_login_was_tried():
    assert {"account_change_password", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
            "usersessions_list", "account_invitation", "account_reset_password", "account_reauthenticate",
            "mfa_remove_webauthn", "account_second_factor"} <= {name for name, _ in CLOSED}  # fmt: skip


def test_an_earlier_session_of_the_browser_lends_nothing(tenant, provider):
    """A tab began a login at the provider, another one logged in with a password meanwhile."""
    person, client = make_member(tenant), Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    kept = client.session
    kept["account_authentication_methods"] = [{"method": "password", "at": 9e9}]
    kept.save()
    client.get(CALLBACK, brought)
    assert set(client.session.keys()) & {"account_authentication_methods", "tenant_id"} == set()
    assert client.get(reverse("account_security")).status_code == 403


def test_after_logging_out_a_password_opens_everything_again(of_both):
    client, person, _ = of_both
    client.post(reverse("account_logout"))
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert client.get(reverse("account_security")).status_code == 200


def test_a_subject_of_one_tenant_is_nobody_in_another(tenant, provider):
    """The same provider serves both: each has its own people."""
    person, other = make_member(tenant), make_tenant()
    connect(other, provider)
    log_in(tenant, provider, sub="p1", email=person.email)
    client, answer = log_in(other, provider, sub="p1", email=person.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)
    assert provider.asked.count("openid-configuration") == 2, "what it publishes is kept for each by itself"


def test_rows_of_one_tenant_are_not_anothers(tenant, provider):
    person = make_member(tenant)
    log_in(tenant, provider, sub="p1", email=person.email)
    with tenant_scope(make_tenant().pk):
        assert (SingleSignOn.objects.count(), SsoIdentity.objects.count()) == (0, 0)
    with tenant_scope(tenant.pk):
        assert (SingleSignOn.objects.count(), SsoIdentity.objects.count()) == (1, 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            other = User.objects.create_user("other@example.com")
            SsoIdentity.objects.create(tenant=tenant, user=other, issuer=provider.issuer, subject="p1")
