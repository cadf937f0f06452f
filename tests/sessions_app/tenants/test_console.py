"""The console, as each kind of person finds it."""

import re
import uuid

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from sessions_app.assistants.models import Assistant
from sessions_app.assistants.selectors import live_version
from sessions_app.history.services import apply_records
from sessions_app.tenants.models import Membership, PublishableKey, Role, SecretKey, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.selectors import principal_for_key
from sessions_app.tenants.services import add_member, issue_publishable_key, issue_secret_key
from tests.fakes.office import (
    PASSWORD,
    make_assistant,
    make_member,
    make_operator,
    make_session,
    make_tenant,
    signed_in,
)

pytestmark = pytest.mark.django_db

MODELS = ["tenant", "membership", "publishablekey", "secretkey", "assistant", "assistantversion", "session"]


def page(model, view, *args):
    return reverse(f"admin:sessions_app_{model}_{view}", args=[quote(str(arg)) for arg in args])


@pytest.fixture
def business():
    """A tenant with one of everything."""
    tenant = make_tenant("Riverside")
    assistant = make_assistant(tenant)
    session = make_session(assistant)
    with tenant_scope(tenant.id):
        public = issue_publishable_key(tenant=tenant, label="site")
        secret, _ = issue_secret_key(tenant=tenant, label="server")
        version = live_version(assistant.id)
    owner = make_member(tenant, Role.OWNER)
    with everyone():
        membership = Membership.objects.get(user=owner)
    return dict(
        zip(MODELS, [tenant, membership, public, secret, assistant, version, session], strict=True), owner=owner
    )


def test_signing_in_is_by_email_in_any_case(business):
    client = Client()
    login = reverse("account_login")
    answer = client.post(login, {"login": business["owner"].email.upper(), "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_person_without_a_tenant_has_no_console():
    client = signed_in(User.objects.create_user("nobody@example.com", PASSWORD, is_staff=True))
    for model in MODELS:
        assert client.get(page(model, "changelist")).status_code == 403
        assert client.get(page(model, "change", uuid.uuid4())).status_code == 403
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_an_owner_sees_their_own_rows(business, model):
    client = signed_in(business["owner"])
    assert client.get(page(model, "changelist")).status_code == 200
    assert client.get(page(model, "change", business[model].pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("view", ["change", "delete", "history"])
def test_another_tenants_rows_are_not_there(business, model, view):
    charlie = signed_in(make_member(make_tenant(), Role.OWNER))
    assert charlie.get(page(model, view, business[model].pk)).status_code == 404
    assert charlie.post(page(model, view, business[model].pk), {"name": "stolen"}).status_code == 404
    assert f"/{business[model].pk}/" not in charlie.get(page(model, "changelist")).content.decode()


@pytest.mark.parametrize("model", MODELS[1:])
def test_an_operator_sees_no_tenants_rows(business, model):
    client = signed_in(make_operator())
    assert client.get(page(model, "changelist")).status_code == 403
    for view in ("change", "delete", "history"):
        assert client.get(page(model, view, business[model].pk)).status_code == 403
    assert client.get(page(model, "add")).status_code == 403
    assert str(business["session"].pk) not in client.get(reverse("admin:index")).content.decode()


def test_an_operator_sees_the_installation(business):
    client = signed_in(make_operator())
    for model, row in (("tenant", business["tenant"]), ("user", business["owner"])):
        assert client.get(page(model, "changelist")).status_code == 200
        assert client.get(page(model, "change", row.pk)).status_code == 200


def test_users_are_for_operators_only(business):
    assert signed_in(business["owner"]).get(page("user", "changelist")).status_code == 403


@pytest.mark.parametrize(
    ("role", "edits", "manages"),
    [(Role.OWNER, True, True), (Role.ADMIN, True, True), (Role.EDITOR, True, False), (Role.VIEWER, False, False)],
)
def test_what_each_role_may_do(business, role, edits, manages):
    client = signed_in(make_member(business["tenant"], role))
    assert client.get(page("session", "change", business["session"].pk)).status_code == 200
    assert client.get(page("assistant", "change", business["assistant"].pk)).status_code == 200
    posted = client.post(page("assistant", "change", business["assistant"].pk), form(client, business))
    assert posted.status_code == (302 if edits else 403)
    assert client.get(page("assistant", "add")).status_code == (200 if edits else 403)
    for model in ("membership", "secretkey", "publishablekey"):
        assert client.get(page(model, "add")).status_code == (200 if manages else 403)
    assert client.get(page("secretkey", "changelist")).status_code == (200 if manages else 403)


def form(client, business, **changes):
    """What the assistant's form holds when it opens."""
    return {
        "name": "Robin",
        "slug": business["assistant"].slug,
        "greeting": "Hello again.",
        "persona": "You are Robin.",
        "facts": "# hours: opening hours\nWe open at ten.",
        "documents": "# visit: Your visit\nCome early.\n\nBring papers.",
        "confidence_threshold": "0.4",
        "voice_name": "en-us",
        "rate_wpm": "170",
        "patience": "calm",
        "endpoint_ms": "704",
        "min_speech_ms": "96",
        "idle_limit_s": "300",
        **changes,
    }


def test_saving_a_draft_changes_no_live_version_until_it_is_published(business):
    client, address = signed_in(business["owner"]), page("assistant", "change", business["assistant"].pk)
    assert client.post(address, form(client, business)).status_code == 302
    with everyone():
        assistant = Assistant.objects.get(pk=business["assistant"].pk)
        assert assistant.draft["facts"] == [{"id": "hours", "topic": "opening hours", "answer": "We open at ten."}]
        assert live_version(assistant.id).number == 1
    save_and_publish = "sessions_app_assistant_save_and_publish"
    answer = client.post(address, form(client, business) | {save_and_publish: "1"})
    review = page("assistant", "review", business["assistant"].pk)
    assert (answer.status_code, answer["Location"]) == (302, review)
    assert "Hello again." not in client.get(review).content.decode(), "words that stay are told apart"
    assert client.post(review).status_code == 302
    with everyone():
        version = live_version(assistant.id)
    assert (version.number, version.published_by) == (2, business["owner"])
    assert version.manifest["greeting"] == "Hello again."


def test_two_assistants_cannot_share_an_address(business):
    taken = business["assistant"].slug
    client = signed_in(business["owner"])
    answer = client.post(page("assistant", "add"), form(client, business, slug=taken))
    assert answer.status_code == 200
    assert "Another assistant has this address" in answer.content.decode()
    client = signed_in(make_member(make_tenant()))
    assert client.post(page("assistant", "add"), form(client, business, slug=taken)).status_code == 302


def test_an_operator_opens_a_tenant_and_makes_operators():
    client = signed_in(make_operator())
    shown = client.post(page("tenant", "add"), {"name": "Zoo", "slug": "zoo", "owner": "Kim@example.com"})
    assert "kim@example.com is invited" in shown.content.decode().lower()
    again = client.post(page("tenant", "add"), {"name": "Zoo 2", "slug": "zoo", "owner": "kim@example.com"})
    assert "already exists" in again.content.decode()
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post(page("user", "add"), {"email": "Ops@example.com", **passwords}).status_code == 302
    assert User.objects.get(email="ops@example.com").is_staff


def test_publishing_from_the_list(business):
    client = signed_in(business["owner"])
    with everyone():
        Assistant.objects.filter(pk=business["assistant"].pk).update(draft={"greeting": "Hello"})
    chosen = {"action": "publish_chosen", "_selected_action": [str(business["assistant"].pk)]}
    answer = client.post(page("assistant", "changelist"), chosen, follow=True)
    assert "persona: Field required." in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"facts": "We open at ten."}, "begin each entry with a line"),
        ({"facts": "# Not-An-Id: x\nWe open."}, "facts, number 1"),
        ({"facts": "# a: x\n"}, "answer"),
        ({"idle_limit_s": "5"}, "greater than or equal to 60"),
        ({"voice_name": "../x"}, "voice, name"),
        ({"greeting": ""}, "required"),
    ],
)
def test_the_form_says_what_to_mend(business, changes, words):
    client = signed_in(business["owner"])
    answer = client.post(page("assistant", "change", business["assistant"].pk), form(client, business, **changes))
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_a_secret_key_is_shown_once(business):
    client = signed_in(business["owner"])
    answer = client.post(page("secretkey", "add"), {"label": "crm", "scopes": ["sessions:open"], "days": "30"})
    raw = re.search(r"sk_[\w-]+", answer.content.decode())[0]
    assert "no-store" in answer["Cache-Control"]
    principal = principal_for_key(raw)
    assert principal.tenant_id == business["tenant"].id
    for address in (page("secretkey", "changelist"), page("secretkey", "change", principal.key_id)):
        assert raw not in client.get(address).content.decode()
    client.post(page("secretkey", "changelist"), {"action": "revoke", "_selected_action": [str(principal.key_id)]})
    assert principal_for_key(raw) is None


def test_another_tenants_key_cannot_be_revoked(business):
    charlie = signed_in(make_member(make_tenant(), Role.OWNER))
    chosen = {"action": "revoke", "_selected_action": [str(business["secretkey"].pk)]}
    charlie.post(page("secretkey", "changelist"), chosen)
    with everyone():
        assert SecretKey.objects.get(pk=business["secretkey"].pk).revoked_at is None


def test_a_publishable_key_is_made_for_origins(business):
    client = signed_in(business["owner"])
    bad = client.post(page("publishablekey", "add"), {"label": "shop", "allowed_origins": "shop.example/path"})
    assert "is not an origin" in bad.content.decode()
    client.post(page("publishablekey", "add"), {"label": "shop", "allowed_origins": "https://Shop.example\n"})
    with everyone():
        key = PublishableKey.objects.get(label="shop")
    assert (key.tenant_id, key.allowed_origins) == (business["tenant"].id, ["https://shop.example"])
    assert principal_for_key(key.key).allowed_origins == ("https://shop.example",)


def test_nobody_raises_themselves_and_only_owners_touch_owners(business):
    admin = make_member(business["tenant"], Role.ADMIN)
    client = signed_in(admin)
    with everyone():
        own = Membership.objects.get(user=admin)
    assert client.post(page("membership", "change", own.pk), {"role": "viewer"}).status_code == 403
    assert client.post(page("membership", "delete", own.pk), {"post": "yes"}).status_code == 403
    owners = business["membership"].pk
    assert client.post(page("membership", "change", owners), {"role": "viewer"}).status_code == 403
    assert client.post(page("membership", "delete", owners), {"post": "yes"}).status_code == 403
    answer = client.post(page("membership", "add"), {"email": "friend@example.com", "role": "owner"})
    assert "not one of the available choices" in answer.content.decode()


def test_a_session_shows_its_turns_with_their_times(business):
    from tests.sessions_app.history.test_journal import told

    apply_records(
        [
            told(
                business["session"],
                timings={"endpoint_ms": 761.0, "asr_ms": 43.0, "llm_first_token_ms": 12.0, "ttfa_ms": 99.0},
                interrupted=True,
                cancel_reason="USER_BARGE_IN",
            )
        ]
    )
    text = signed_in(business["owner"]).get(page("session", "change", business["session"].pk)).content.decode()
    for words in ("question 1.1", "answer 1.1", ">761<", ">43<", ">12<", ">99<", "USER_BARGE_IN", "hours (0.90)"):
        assert words in text.replace("\n", "").replace("  ", ""), words


def test_a_person_with_two_tenants_sees_one_at_a_time(business):
    other, owner = make_tenant("Zoo"), business["owner"]
    with tenant_scope(other.id):
        add_member(tenant=other, user=owner, role=Role.VIEWER)
    client, index = signed_in(owner), reverse("admin:index")
    address = page("assistant", "change", business["assistant"].pk)
    assert f"?tenant={other.id}" in client.get(index).content.decode()
    assert client.get(address).status_code == 200
    client.get(index, {"tenant": str(other.id)})
    assert [client.get(at).status_code for at in (address, page("assistant", "add"))] == [404, 403]
    client.get(index, {"tenant": "no id at all"})
    client.get(index, {"tenant": str(business["tenant"].id)})
    assert client.get(address).status_code == 200
