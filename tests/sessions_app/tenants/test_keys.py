from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.tenants import selectors
from sessions_app.tenants.models import SecretKey
from sessions_app.tenants.permissions import SESSION_SCOPES, Can
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.selectors import own_page_key, principal_for_key
from sessions_app.tenants.services import issue_publishable_key, issue_secret_key, revoke_key
from tests.fakes.office import make_tenant

pytestmark = pytest.mark.django_db


def test_a_secret_key_stands_for_its_tenant_and_is_not_kept():
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row, raw = issue_secret_key(tenant=tenant, label="server")
    principal = principal_for_key(raw)
    assert (principal.kind, principal.tenant_id, principal.key_id) == ("secret", tenant.id, row.id)
    assert principal.may_come_from(None)
    with everyone():
        kept = SecretKey.objects.filter(pk=row.pk).values().get()
    assert raw not in str(kept)
    assert len(raw) > 40


def test_a_publishable_key_without_origins_belongs_to_our_own_pages(settings):
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        key = issue_publishable_key(tenant=tenant, label="site")
    principal = principal_for_key(key.key)
    assert principal.allowed_origins == tuple(settings.GOASSIST.origins)
    assert principal.may_come_from(settings.GOASSIST.origins[0])
    assert not principal.may_come_from("https://elsewhere.example")
    assert not principal.may_come_from(None)


def test_a_publishable_key_with_origins_works_there_only(settings):
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        key = issue_publishable_key(tenant=tenant, label="site", allowed_origins=["https://vet.example"])
    principal = principal_for_key(key.key)
    assert principal.may_come_from("https://vet.example")
    assert not principal.may_come_from(settings.GOASSIST.origins[0])
    assert own_page_key(tenant.id) is None


def test_our_own_page_finds_the_key_that_is_meant_for_it():
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        issue_publishable_key(tenant=tenant, label="their site", allowed_origins=["https://vet.example"])
        own = issue_publishable_key(tenant=tenant, label="our pages")
    assert own_page_key(tenant.id).key == own.key


def test_a_revoked_key_opens_nothing_and_keeps_its_first_date():
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        secret, raw = issue_secret_key(tenant=tenant, label="server")
        public = issue_publishable_key(tenant=tenant, label="site")
        for key in (secret, public):
            revoke_key(key=key)
            first = key.revoked_at
            revoke_key(key=key)
            assert key.revoked_at == first
    assert principal_for_key(raw) is None
    assert principal_for_key(public.key) is None


def test_a_key_may_what_it_was_given_and_by_default_what_a_site_needs():
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        _, usual = issue_secret_key(tenant=tenant, label="server")
        _, narrow = issue_secret_key(tenant=tenant, label="reports", scopes=[Can.READ_SESSIONS])
        public = issue_publishable_key(tenant=tenant, label="site")
    assert principal_for_key(usual).scopes == set(SESSION_SCOPES)
    assert principal_for_key(narrow).scopes == {Can.READ_SESSIONS}
    assert principal_for_key(public.key).scopes == {Can.OPEN_SESSIONS}


def test_an_expired_key_opens_nothing():
    tenant, now = make_tenant(), timezone.now()
    with tenant_scope(tenant.id):
        _, old = issue_secret_key(tenant=tenant, label="old", expires_at=now - timedelta(seconds=1))
        _, good = issue_secret_key(tenant=tenant, label="good", expires_at=now + timedelta(hours=1))
    assert principal_for_key(old) is None
    assert principal_for_key(good) is not None


def test_the_last_use_is_kept_to_the_minute(monkeypatch):
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        row, raw = issue_secret_key(tenant=tenant, label="server")

    def used_at(now):
        monkeypatch.setattr(selectors.timezone, "now", lambda: now)
        principal_for_key(raw)
        with everyone():
            row.refresh_from_db()
        return row.last_used_at

    first = timezone.now()
    assert row.last_used_at is None
    assert used_at(first) == first
    assert used_at(first + timedelta(seconds=59)) == first
    assert used_at(first + timedelta(seconds=60)) == first + timedelta(seconds=60)


@pytest.mark.parametrize("raw", ["", "sk_", "pk_", "sk_unknown", "pk_unknown", "Bearer x", "sk_\x00", "sk_\udce4"])
def test_what_is_no_key_stands_for_nobody(raw):
    assert principal_for_key(raw) is None
