"""The audit log: what it keeps, and that nobody can bend it unseen."""

import re

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.assistants.services import publish
from sessions_app.tenants import audit
from sessions_app.tenants.audit import Actor, acting, broken, changed, record
from sessions_app.tenants.models import AuditEntry, Role, Sealed, SecretKey
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_secret_key, revoke_key
from tests.fakes.office import PASSWORD, draft, make_assistant, make_member, make_operator, make_tenant, signed_in

KIM = Actor("user", "kim@example.com", "7", "request-1", "192.0.2.7")
LOG = "admin:sessions_app_auditentry_changelist"
fields = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers())
)


@pytest.fixture
def tenant(db):
    return make_tenant("Riverside")


def entries(tenant):
    with everyone():
        return list(AuditEntry.objects.filter(chain=str(tenant.pk)).order_by("number"))


def test_what_is_done_is_kept_with_who_did_it_and_what_changed(tenant):
    with tenant_scope(tenant.pk), acting(KIM):
        key, _ = issue_secret_key(tenant=tenant, label="crm")
        revoke_key(key=key)
        revoke_key(key=key)
    issued, revoked = entries(tenant)
    assert (issued.action, issued.actor, issued.request_id, issued.address) == (
        "key.issued", "kim@example.com", "request-1", "192.0.2.7",
    )  # fmt: skip
    assert (revoked.action, list(revoked.after)) == ("key.revoked", ["revoked_at"])
    assert revoked.before == {"revoked_at": None}


def test_secrets_are_not_told(tenant):
    with tenant_scope(tenant.pk):
        key, raw = issue_secret_key(tenant=tenant, label="crm")
    (entry,) = entries(tenant)
    assert entry.after["key_hash"] == "(hidden)"
    assert not {raw, key.key_hash} & set(map(str, entry.after.values()))


def test_publishing_is_kept_with_both_versions(tenant):
    assistant = make_assistant(tenant)
    with tenant_scope(tenant.pk):
        assistant.draft = draft(persona="You are new.")
        assistant.save()
        version = publish(assistant=assistant)
    last = entries(tenant)[-1]
    assert (last.action, last.before["version"], last.after["version"]) == ("assistant.published", 1, 2)
    assert last.after["digest"] == version.digest


def test_what_fails_leaves_no_entry(tenant):
    with tenant_scope(tenant.pk), pytest.raises(RuntimeError):
        from django.db import transaction

        with transaction.atomic():
            issue_secret_key(tenant=tenant, label="crm")
            raise RuntimeError
    assert entries(tenant) == []


@pytest.mark.parametrize("how", ["altered", "taken out", "made up"])
def test_a_chain_that_was_tampered_with_shows_where(tenant, how, monkeypatch):
    with tenant_scope(tenant.pk):
        for label in "abc":
            issue_secret_key(tenant=tenant, label=label)
        assert broken(str(tenant.pk)) is None
    chain = entries(tenant)
    if how == "altered":
        chain[1].actor = "somebody@else.example"
    elif how == "taken out":
        del chain[1]
    else:
        chain[1].previous = "0" * 64
        chain[1].digest = audit.digest_of(chain[1])
    monkeypatch.setattr(AuditEntry.objects, "filter", lambda **wanted: Rows(chain), raising=False)
    assert broken(str(tenant.pk)) == 2


class Rows(list):
    """The chain as a database would give it that somebody had their hands on."""

    def order_by(self, name):
        return self

    def iterator(self):
        return iter(self)


def test_entries_are_neither_changed_nor_taken_out(tenant):
    with tenant_scope(tenant.pk):
        issue_secret_key(tenant=tenant, label="crm")
        entry = AuditEntry.objects.get()
        for bend in (entry.save, entry.delete, AuditEntry.objects.all().delete):
            with pytest.raises(Sealed):
                bend()
        with pytest.raises(Sealed):
            AuditEntry.objects.update(actor="nobody")


def test_a_number_that_somebody_else_took_is_not_taken_twice(tenant, monkeypatch):
    with tenant_scope(tenant.pk):
        issue_secret_key(tenant=tenant, label="a")
        first = AuditEntry.objects.get()
        stale = iter([None])
        order_by = AuditEntry.objects.filter(chain=first.chain).order_by

        class Late:
            """The first look at the chain misses the entry that is written meanwhile."""

            def order_by(self, name):
                return self

            def first(self):
                return next(stale, order_by("-number").first())

        monkeypatch.setattr(AuditEntry.objects, "filter", lambda **wanted: Late(), raising=False)
        second = record("key.seen", SecretKey.objects.get(), tenant_id=tenant.pk)
        monkeypatch.undo()
        assert (second.number, second.previous) == (2, first.digest)
        assert broken(first.chain) is None


@given(before=fields, after=fields)
def test_only_differences_are_kept_and_all_of_them(before, after):
    was, now = changed(before, after)
    for name in {**before, **after}:
        same = (
            name in before and name in after and before[name] == after[name] and type(before[name]) is type(after[name])
        )
        absent_alike = before.get(name) is None and after.get(name) is None
        if not same and not absent_alike and before.get(name) != after.get(name):
            assert name in was or name in now
        if same:
            assert name not in was
            assert name not in now


def test_the_console_tells_who_did_what_and_verifies(tenant):
    owner = make_member(tenant, Role.OWNER)
    client = signed_in(owner)
    client.post(reverse("admin:sessions_app_publishablekey_add"), {"label": "shop", "allowed_origins": ""})
    text = client.get(reverse(LOG)).content.decode()
    assert "key.issued" in text
    assert owner.email in text
    page = re.search(r"/admin/sessions_app/auditentry/\d+/change/", text)[0]
    shown = client.get(page).content.decode()
    assert "(hidden)" in shown
    verified = client.get(reverse("admin:sessions_app_auditentry_verify"), follow=True).content.decode()
    assert "nothing was altered" in verified
    assert client.post(page, {"actor": "x"}).status_code == 403
    assert client.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("editor", 403), ("viewer", 403)])
def test_who_may_read_it(tenant, role, status):
    assert signed_in(make_member(tenant, Role(role))).get(reverse(LOG)).status_code == status


def test_operators_read_the_installations_chain_and_not_a_tenants(tenant):
    with tenant_scope(tenant.pk):
        issue_secret_key(tenant=tenant, label="crm")
    client = signed_in(make_operator())
    client.post(reverse("admin:sessions_app_tenant_add"), {"name": "Zoo", "slug": "zoo", "owner": "kim@example.com"})
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("admin:sessions_app_user_add"), {"email": "ops@example.com", **passwords})
    text = client.get(reverse(LOG)).content.decode()
    assert "tenant.opened" in text
    assert "user.created" in text
    assert "key.issued" not in text
    (foreign,) = entries(tenant)
    assert client.get(reverse("admin:sessions_app_auditentry_change", args=[foreign.pk])).status_code == 404
