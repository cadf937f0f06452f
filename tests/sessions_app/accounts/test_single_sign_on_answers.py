"""The browser's way back from a provider, and what the provider publishes, as somebody may bend them."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.accounts import sso_views
from sessions_app.accounts.models import SingleSignOn
from sessions_app.outgoing import MAX_ANSWER_BYTES
from sessions_app.tenants.models import User
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.office import make_tenant
from tests.fakes.provider import Provider
from tests.sessions_app.accounts.sign_on import CALLBACK, begin, connect, log_in, logged_in_as, refused

pytestmark = pytest.mark.django_db


def test_an_answer_is_taken_once(business, provider):
    tenant, person = business
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    code = brought["code"]
    assert client.get(CALLBACK, brought).status_code == 302
    client.logout()
    provider.codes[code] = {}
    assert client.get(CALLBACK, brought).status_code == 400
    assert logged_in_as(client) is None


def test_a_refused_answer_is_not_taken_again(business, provider):
    tenant, person = business
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    assert client.get(CALLBACK, {"error": "access_denied", "state": brought["state"]}).status_code == 403
    assert client.get(CALLBACK, brought).status_code == 400


@pytest.mark.parametrize(
    "change",
    [{"state": ...}, {"state": ""}, {"state": "x"}, {"state": ["x", "y"]}, {"state": "\u00e9"}],
    ids=["none", "empty", "another", "two", "not ASCII"],
)
def test_an_answer_without_its_state_is_nobodys_and_ends_no_attempt(business, provider, change):
    tenant, person = business
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    bent = {name: value for name, value in {**brought, **change}.items() if value is not ...}
    assert client.get(CALLBACK, bent).status_code == 400
    assert logged_in_as(client) is None
    assert client.get(CALLBACK, brought).status_code == 302


def test_another_browsers_answer_is_nobodys(business, provider):
    tenant, person = business
    theirs, mine = Client(), Client()
    brought = provider.authorize(begin(theirs, tenant)["Location"], sub="p1", email=person.email)
    for browser in (mine, Client()):
        assert browser.get(CALLBACK, brought).status_code == 400
        assert logged_in_as(browser) is None
        begin(browser, tenant)
        assert browser.get(CALLBACK, brought).status_code == 400


def test_another_browsers_code_with_ones_own_state_is_refused(business, provider):
    """PKCE, and the nonce behind it."""
    tenant, person = business
    theirs, mine = Client(), Client()
    stolen = provider.authorize(begin(theirs, tenant)["Location"], sub="p1", email=person.email)
    own = provider.authorize(begin(mine, tenant)["Location"], sub="x", email="x@example.com")
    assert mine.get(CALLBACK, {**own, "code": stolen["code"]}).status_code == 403
    assert logged_in_as(mine) is None


def test_an_attempt_ends_after_ten_minutes(business, provider, monkeypatch):
    tenant, person = business
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    later = time.time() + sso_views.VALID_S + 1
    monkeypatch.setattr(sso_views.time, "time", lambda: later)
    assert client.get(CALLBACK, brought).status_code == 400


@pytest.mark.parametrize(
    "change",
    [{"code": ...}, {"code": ""}, {"code": ["a", "b"]}, {"error": "access_denied"}, {"iss": "https://evil.example"},
     {"iss": ""}],
    ids=["no code", "empty code", "two codes", "error beside a code", "another issuer", "empty issuer"],
)  # fmt: skip
def test_a_bent_answer_lets_nobody_in(business, provider, change):
    tenant, person = business
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    bent = {name: value for name, value in {**brought, **change}.items() if value is not ...}
    assert client.get(CALLBACK, bent).status_code == 403
    assert logged_in_as(client) is None
    assert "token" not in provider.asked


@pytest.mark.parametrize(("told", "status"), [(True, 302), (False, 403)])
def test_a_provider_that_promises_to_name_itself_must(business, provider, told, status):
    tenant, person = business
    provider.documents["openid-configuration"] = provider.discovery(authorization_response_iss_parameter_supported=True)
    client = Client()
    brought = provider.authorize(begin(client, tenant)["Location"], sub="p1", email=person.email)
    assert client.get(CALLBACK, {**brought, **({"iss": provider.issuer} if told else {})}).status_code == status


def test_a_post_is_no_answer(business, provider):
    assert Client().post(CALLBACK, {"state": "x", "code": "y"}).status_code == 405


def test_an_answer_for_one_tenant_opens_no_other(business, provider):
    """Both trust the same provider; the one who logs in is a member of the other only."""
    other = make_tenant()
    connect(other, provider)
    client, answer = log_in(other, provider, sub="p1", email=business[1].email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)


# What the provider publishes ----------------------------------------------------------------------------------------

PUBLISHED = {
    "another issuer": {"issuer": "https://evil.example"},
    "the issuer with a slash": {"issuer": "/"},
    "no issuer": {"issuer": None},
    "keys at a private address": {"jwks_uri": "https://10.0.0.1/keys"},
    "keys at the metadata service": {"jwks_uri": "http://169.254.169.254/keys"},
    "token endpoint at a private address": {"token_endpoint": "https://192.168.0.1/token"},
    "token endpoint in plain HTTP": {"token_endpoint": "http://1.1.1.1/token"},
    "keys in plain HTTP": {"jwks_uri": "http://public.example/keys"},
    "token endpoint in a file": {"token_endpoint": "file:///etc/passwd"},
    "authorization endpoint is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "authorization endpoint in plain HTTP": {"authorization_endpoint": "http://public.example/auth"},
    "authorization endpoint with a line": {"authorization_endpoint": "https://x.example/\r\nSet-Cookie: a=b"},
    "no authorization endpoint": {"authorization_endpoint": None},
    "no token endpoint": {"token_endpoint": 7},
    "no keys": {"jwks_uri": []},
    "no code": {"response_types_supported": ["id_token"]},
    "shared keys only": {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    "PKCE in plain": {"code_challenge_methods_supported": ["plain"]},
    "no client secret": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
}
DOCUMENTS = {
    "no JSON": b"<html>",
    "a list": [1],
    "deep": b"[" * 30000,
    "too long": b'{"issuer": "' + b"x" * MAX_ANSWER_BYTES + b'"}',
}


@pytest.mark.parametrize("what", [*PUBLISHED, *DOCUMENTS])
def test_a_provider_that_cannot_be_used_is_not_gone_to(business, provider, what):
    changes = dict(PUBLISHED.get(what, {}))
    if changes.get("issuer") == "/":
        changes["issuer"] = provider.issuer + "/"
    provider.documents["openid-configuration"] = DOCUMENTS.get(what) or provider.discovery(**changes)
    answer = begin(Client(), business[0])
    assert answer.status_code == 403
    assert provider.asked == ["openid-configuration"]


@pytest.mark.parametrize("what", DOCUMENTS)
def test_keys_that_cannot_be_read_let_nobody_in(business, provider, what):
    provider.documents["keys"] = DOCUMENTS[what]
    assert refused(business[0], provider, business[1])


def test_without_the_operators_word_no_provider_of_the_house_is_asked(business, provider, settings):
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_outgoing_networks": []})
    assert begin(Client(), business[0]).status_code == 403
    assert provider.asked == []


def test_a_secret_that_cannot_be_opened_any_more_is_said_to_be_so(business, provider):
    tenant, person = business
    with tenant_scope(tenant.pk):
        SingleSignOn.objects.update(secret="gAAAA")
    client, answer = log_in(tenant, provider, sub="p1", email=person.email)
    assert (answer.status_code, logged_in_as(client)) == (403, None)
    assert "Enter it again" in answer.content.decode()
    assert "token" not in provider.asked


def test_another_tenants_provider_is_not_this_ones(business, provider):
    """The evil one's issuer says whatever it likes, of people of this tenant: it is asked about its own tenant only."""
    tenant, person = business
    evil, theirs = Provider(), make_tenant()
    try:
        connect(theirs, evil)
        for claims in ({"iss": provider.issuer}, {}):
            evil.claims = claims
            client, answer = log_in(theirs, evil, sub="p1", email=person.email)
            assert (answer.status_code, logged_in_as(client)) == (403, None)
        client = Client()
        brought = evil.authorize(begin(client, theirs)["Location"], sub="p1", email=person.email)
        begin(client, tenant)
        assert client.get(CALLBACK, brought).status_code == 400
    finally:
        evil.close()
    assert User.objects.filter(email=person.email).count() == 1


def test_nothing_of_it_is_cached_by_browsers(business):
    for path in (CALLBACK, reverse("account_sso"), reverse("account_sso_start", args=[business[0].slug])):
        assert "no-store" in Client().get(path)["Cache-Control"]
