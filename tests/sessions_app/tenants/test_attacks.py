"""The console as somebody with a login, and bad intentions, would try it."""

import uuid

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.assistants.services import publish
from sessions_app.operations.models import SoakRun
from sessions_app.tenants.models import Membership, PublishableKey, Role, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import issue_publishable_key
from tests.fakes.office import PASSWORD, draft, make_assistant, make_member, make_operator, make_session, make_tenant

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def harbor():
    return make_tenant("Harbor Law")


@pytest.fixture
def mallory():
    """Owns another tenant."""
    return signed_in(make_member(make_tenant("Mallory and Sons"), Role.OWNER))


def role_of(user):
    with everyone():
        return Membership.objects.get(user=user).role


@pytest.mark.parametrize("email", [str.lower, str.upper])
def test_an_admin_cannot_demote_the_owner_by_adding_them_again(harbor, email):
    owner, climber = make_member(harbor, Role.OWNER), make_member(harbor, Role.ADMIN)
    add = reverse("admin:sessions_app_membership_add")
    answer = signed_in(climber).post(add, {"email": email(owner.email), "role": Role.VIEWER})
    assert answer.status_code == 200
    assert "is a member already" in answer.content.decode()
    assert role_of(owner) == Role.OWNER


def test_an_owner_cannot_lock_themselves_out_by_adding_themselves_again(harbor):
    owner = make_member(harbor, Role.OWNER)
    signed_in(owner).post(reverse("admin:sessions_app_membership_add"), {"email": owner.email, "role": Role.VIEWER})
    assert role_of(owner) == Role.OWNER


def test_an_admin_cannot_make_an_owner(harbor):
    climber = make_member(harbor, Role.ADMIN)
    answer = signed_in(climber).post(
        reverse("admin:sessions_app_membership_add"), {"email": "friend@example.com", "role": Role.OWNER}
    )
    assert answer.status_code == 200
    assert not User.objects.filter(email="friend@example.com").exists()


def test_a_form_cannot_name_another_tenant(harbor, mallory):
    mallory.post(reverse("admin:sessions_app_publishablekey_add"), {"label": "stolen", "tenant": str(harbor.pk)})
    with tenant_scope(harbor.id):
        assert not PublishableKey.objects.exists()


def test_actions_touch_ones_own_rows_only(harbor, mallory):
    with tenant_scope(harbor.id):
        key = issue_publishable_key(tenant=harbor, label="Site")
    mallory.post(
        reverse("admin:sessions_app_publishablekey_changelist"), {"action": "revoke", "_selected_action": str(key.pk)}
    )
    assistant = make_assistant(harbor)
    for action in ("delete_selected", "publish_chosen"):
        mallory.post(
            reverse("admin:sessions_app_assistant_changelist"),
            {"action": action, "_selected_action": str(assistant.pk), "post": "yes"},
        )
    with everyone():
        key.refresh_from_db()
        assistant.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize(
    ("model", "field"),
    [("membership", "user"), ("membership", "tenant"), ("session", "assistant"), ("assistantversion", "published_by")],
)
def test_autocomplete_offers_nothing_of_others(harbor, mallory, model, field):
    make_session(make_assistant(harbor))
    answer = mallory.get(
        reverse("admin:autocomplete"), {"app_label": "sessions_app", "model_name": model, "field_name": field}
    )
    assert answer.status_code in {200, 403, 404}
    assert b"Harbor" not in answer.content
    assert b"desk-" not in answer.content


def test_searching_and_shortcuts_show_nothing_of_others(harbor, mallory):
    assistant = make_assistant(harbor)
    for address in ("/admin/search/?s=Harbor", "/admin/search/?s=desk", "/admin/"):
        answer = mallory.get(address)
        assert answer.status_code in {200, 404}
        assert b"Harbor" not in answer.content
        assert assistant.slug.encode() not in answer.content


@pytest.mark.parametrize(
    "query", ["?tenant__name__startswith=Ha", "?user__password__startswith=p", "?tenant=1", "?p=99", "?q=%00", "?o=99"]
)
def test_list_queries_tell_nothing(mallory, query):
    for model in ("membership", "session", "assistant", "publishablekey"):
        answer = mallory.get(reverse(f"admin:sessions_app_{model}_changelist") + query)
        assert answer.status_code in {200, 302, 400}, (model, query)


def test_soak_pages_are_not_there_for_tenants(mallory):
    run = SoakRun.objects.create(url="http://x.example", assistant_name="Robin")
    pages = [reverse(f"admin:soakrun_{name}", args=[run.pk]) for name in ("now", "stop", "report")]
    pages += [reverse("admin:sessions_app_soakrun_changelist"), reverse("admin:sessions_app_soakrun_add")]
    pages += [reverse("admin:sessions_app_soakrun_change", args=[run.pk])]
    for page in pages:
        for answer in (mallory.get(page), mallory.post(page, {})):
            assert answer.status_code in {302, 403, 404}, page
            assert b"x.example" not in answer.content
    assert b"Robin" not in mallory.get(reverse("admin:soakrun_compare"), {"run": str(run.pk)}).content


def test_live_sessions_are_ones_own(harbor, mallory):
    session = make_session(make_assistant(harbor))
    with everyone():
        type(session).objects.filter(pk=session.pk).update(state="live", worker="w1")
    assert mallory.get(reverse("admin:livesession_now")).json() == {"sessions": [], "workers": None}
    assert str(session.pk).encode() not in mallory.get(reverse("admin:sessions_app_livesession_changelist")).content
    owner = signed_in(make_member(harbor, Role.VIEWER))
    assert [row["id"] for row in owner.get(reverse("admin:livesession_now")).json()["sessions"]] == [str(session.pk)]


def console_pages():
    site = admin.site
    return [
        reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_{view}")
        for m in site._registry
        for view in ("changelist", "add")
        if any(url.name == f"{m._meta.app_label}_{m._meta.model_name}_{view}" for url in site._registry[m].urls)
    ]


def test_without_a_login_every_page_of_the_console_asks_for_one():
    client = Client()
    for page in [*console_pages(), "/admin/", reverse("admin:livesession_now"), reverse("admin:soakrun_compare")]:
        answer = client.get(page)
        assert answer.status_code == 302, page
        assert answer["Location"].startswith("/admin/login/?next=/admin/")


def test_signing_in_leads_to_no_other_site_and_changes_the_session():
    owner = make_member(make_tenant(), Role.OWNER)
    client = Client()
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=/admin/"
    login = "/accounts/login/?next=https://evil.example/"
    answer = client.post(login, {"login": owner.email, "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"
    assert client.cookies["sessionid"].value != "chosen-by-somebody-else"


def test_an_operator_may_remove_who_published_and_what_they_published_stays(harbor):
    owner = make_member(harbor, Role.OWNER)
    assistant = make_assistant(harbor)
    with tenant_scope(harbor.id):
        Assistant.objects.filter(pk=assistant.pk).update(draft=draft(persona="You are new."))
        version = publish(assistant=assistant, by=owner)
    removed = signed_in(make_operator()).post(
        reverse("admin:sessions_app_user_delete", args=[owner.pk]), {"post": "yes"}
    )
    assert removed.status_code == 302
    assert not User.objects.filter(pk=owner.pk).exists()
    with everyone():
        kept = AssistantVersion.objects.get(pk=version.pk)
    assert (kept.published_by, kept.digest) == (None, version.digest)


@pytest.mark.parametrize(
    "origin", ["http://[", "https://a b", "https://*.example.com", "javascript:alert(1)", "https://x:y"]
)
def test_rubbish_origins_are_refused_in_words(harbor, origin):
    owner = signed_in(make_member(harbor, Role.OWNER))
    answer = owner.post(reverse("admin:sessions_app_publishablekey_add"), {"label": "x", "allowed_origins": origin})
    assert answer.status_code == 200
    assert "is not an origin" in answer.content.decode()


def test_ids_that_are_none_are_not_found(harbor):
    owner = signed_in(make_member(harbor, Role.OWNER))
    for text in ("1", "x" * 300, "%00", str(uuid.uuid4())):
        for model in ("session", "assistant", "membership"):
            if (model, text) != ("membership", "1"):
                answer = owner.get(f"/admin/sessions_app/{model}/{text}/change/")
                assert answer.status_code in {302, 404}, (model, text)
    assert signed_in(make_operator()).get(reverse("admin:soakrun_compare"), {"run": "x"}).status_code != 500
