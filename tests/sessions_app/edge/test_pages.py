"""Pages for visitors."""

import json
import re
from typing import Any

from django.test import Client

from tests.fakes.house import Business


def test_the_talk_page_carries_its_data_and_no_inline_script(riverside: Business) -> None:
    page = Client().get(f"/t/{riverside.tenant.slug}/{riverside.assistant.slug}/")
    assert page.status_code == 200
    found = re.search(r'<script id="page" type="application/json">(.*?)</script>', page.content.decode())
    assert found is not None
    data = json.loads(found.group(1))
    assert data["assistant"]["id"] == str(riverside.assistant.id)
    assert data["api_base"] == "http://testserver/api/v1"
    assert data["ws_base"] == "ws://testserver/ws/v1"
    assert data["publishable_key"].startswith("pk_")
    assert "unsafe" not in page["Content-Security-Policy"]


def test_the_talk_pages_key_is_good_for_its_own_page(riverside: Business) -> None:
    page = Client().get(f"/t/{riverside.tenant.slug}/{riverside.assistant.slug}/")
    opened = Client().post(
        "/api/v1/sessions",
        {"assistant": str(riverside.assistant.id)},
        content_type="application/json",
        headers={
            "Authorization": f"Bearer {page.context['page']['publishable_key']}",
            "Origin": "http://testserver",
        },
    )
    assert opened.status_code == 201


def test_one_tenants_assistant_is_not_found_at_anothers_address(riverside: Business, harbor: Business) -> None:
    answer = Client().get(f"/t/{riverside.tenant.slug}/{harbor.assistant.slug}/")
    assert answer.status_code == 404
    assert b"There is no such page." in answer.content


def test_home_lists_assistants_only_where_one_person_runs_everything(riverside: Business, settings: Any) -> None:
    assert riverside.tenant.name.encode() in Client().get("/").content
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_mode": "distributed"})
    assert Client().get("/")["Location"] == "/admin/"


def test_a_wrong_address_of_the_api_is_a_404_for_every_method() -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/v1/sessions//chat", {}, content_type="application/json")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
