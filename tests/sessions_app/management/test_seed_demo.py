import io
import json

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from sessions_app.assistants.models import AssistantVersion
from sessions_app.assistants.selectors import live_version, public_assistant, spec_of
from sessions_app.tenants.models import User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.selectors import own_page_key, principal_for_key

pytestmark = pytest.mark.django_db


def seed(*args):
    out = io.StringIO()
    call_command("seed_demo", *args, stdout=out)
    return out.getvalue()


def test_it_prints_one_json_document_in_the_promised_form():
    demo = json.loads(seed("--json"))
    assert demo.keys() == {"operator", "tenants"}
    assert demo["operator"].keys() == {"email", "password"}
    assert [tenant["slug"] for tenant in demo["tenants"]] == ["riverside-vet", "harbor-law"]
    for tenant in demo["tenants"]:
        assert tenant.keys() == {"slug", "name", "owner", "publishable_key", "secret_key", "assistants"}
        assert tenant["owner"].keys() == {"email", "password"}
        assert [assistant.keys() for assistant in tenant["assistants"]] == [{"id", "slug", "url"}]
        assert tenant["assistants"][0]["url"].endswith(f"/t/{tenant['slug']}/reception/")


def test_a_second_run_prints_and_changes_nothing_else():
    first = seed("--json")
    with everyone():
        rows = (User.objects.count(), AssistantVersion.objects.count())
        assert seed("--json") == first
        assert (User.objects.count(), AssistantVersion.objects.count()) == rows


def test_what_it_prints_works():
    demo = json.loads(seed("--json"))
    operator = authenticate(username=demo["operator"]["email"], password=demo["operator"]["password"])
    assert operator.is_superuser
    for tenant in demo["tenants"]:
        owner = authenticate(username=tenant["owner"]["email"], password=tenant["owner"]["password"])
        assert owner.is_staff
        assert not owner.is_superuser
        assistant = public_assistant(tenant_slug=tenant["slug"], assistant_slug="reception")
        assert str(assistant.id) == tenant["assistants"][0]["id"]
        assert principal_for_key(tenant["secret_key"]).tenant_id == assistant.tenant_id
        assert own_page_key(assistant.tenant_id).key == tenant["publishable_key"]
        with everyone():
            spec = spec_of(live_version(assistant.id))
        assert len(spec.facts) >= 12
        assert spec.passages


def test_another_installation_has_other_secrets(settings):
    first = json.loads(seed("--json"))
    settings.SECRET_KEY = "another"
    second = json.loads(seed("--json"))
    assert first["operator"]["password"] != second["operator"]["password"]
    assert first["tenants"][0]["secret_key"] != second["tenants"][0]["secret_key"]


def test_for_people_it_prints_addresses_logins_and_keys():
    text = seed()
    for words in ("operator@goassist.local", "/t/riverside-vet/reception/", "Harbor Law", "pk_", "sk_"):
        assert words in text
