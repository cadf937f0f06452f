"""Webhooks over the API."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import issue_secret_key
from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint
from sessions_app.webhooks.services import emit
from tests.fakes.house import Business, Caller, is_problem

URL = "https://www.example.com/hooks"


@pytest.fixture
async def caller(riverside: Business) -> Caller:
    def key() -> str:
        with tenant_scope(riverside.tenant.id):
            scopes = [Can.READ_WEBHOOKS, Can.WRITE_WEBHOOKS]
            return issue_secret_key(tenant=riverside.tenant, label="hooks", scopes=scopes)[1]

    return Caller(await sync_to_async(key)())


async def test_made_read_changed_and_deleted(caller: Caller) -> None:
    made = await caller("POST", "/webhooks", {"url": URL, "events": ["turn.finished"], "description": "CRM"})
    assert made.status_code == 201, made.content
    webhook = made.json()
    assert webhook["id"].startswith("whk_")
    assert webhook["secret"].startswith("whsec_")
    path = f"/webhooks/{webhook['id']}"
    read = (await caller("GET", path)).json()
    assert read == {name: value for name, value in webhook.items() if name != "secret"}
    changed = await caller("PATCH", path, {"enabled": False, "events": []})
    assert (changed.json()["enabled"], changed.json()["events"], changed.json()["url"]) == (False, [], URL)
    assert is_problem(await caller("POST", f"{path}/test"), 409, "conflict")
    assert (await caller("DELETE", path)).status_code == 204
    assert is_problem(await caller("GET", path), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://www.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://user:word@example.com/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": URL, "events": ["session.eaten"]}, "events"),
        ({"url": URL, "description": "x" * 201}, "description"),
        ({}, "url"),
    ],
)
async def test_what_is_wrong_is_said_in_words(caller: Caller, body: Any, field: str) -> None:
    answer = await caller("POST", "/webhooks", body)
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_a_rotation_shows_the_new_secret_once(caller: Caller, riverside: Business) -> None:
    webhook_id = (await sync_to_async(riverside.ids)())["webhook_id"]
    first = await caller("POST", f"/webhooks/{webhook_id}/rotate")
    second = await caller("POST", f"/webhooks/{webhook_id}/rotate")
    assert first.status_code == second.status_code == 200
    assert first.json()["secret"] != second.json()["secret"]
    assert second.json()["previous_until"]
    listed = await caller("GET", "/webhooks")
    assert b"whsec_" not in listed.content


async def test_a_test_is_listed_and_replayed(caller: Caller, riverside: Business) -> None:
    webhook_id = (await sync_to_async(riverside.ids)())["webhook_id"]
    sent = await caller("POST", f"/webhooks/{webhook_id}/test")
    assert (sent.status_code, sent.json()["type"], sent.json()["state"]) == (202, "webhook.test", "pending")
    listed = (await caller("GET", f"/webhooks/{webhook_id}/deliveries?state=pending&limit=1")).json()
    assert listed["data"][0] == sent.json()
    assert listed["has_more"]
    again = await caller("POST", f"/webhooks/{webhook_id}/deliveries/{sent.json()['id']}/replay")
    assert (again.status_code, again.json()["event_id"]) == (202, sent.json()["event_id"])


async def test_a_delivery_of_another_endpoint_is_not_found(caller: Caller, riverside: Business) -> None:
    ids = await sync_to_async(riverside.ids)()
    other = (await caller("POST", "/webhooks", {"url": URL})).json()["id"]
    assert is_problem(await caller("POST", f"/webhooks/{other}/deliveries/{ids['delivery_id']}/replay"), 404)
    assert is_problem(await caller("GET", "/webhooks/whk_no/deliveries"), 404)


async def test_a_twenty_first_is_refused(caller: Caller) -> None:
    answers = [(await caller("POST", "/webhooks", {"url": URL})).status_code for _ in range(20)]
    assert answers == [201] * 19 + [409]


@pytest.mark.parametrize("count", [1, 100])
def test_a_list_of_any_length_takes_as_many_queries(riverside: Business, count: int, client: Any) -> None:
    with tenant_scope(riverside.tenant.id):
        WebhookDelivery.objects.all().delete()
        for number in range(count):
            emit(riverside.tenant.id, "session.started", lambda number=number: {"number": number})
        webhook_id = WebhookEndpoint.objects.get().pk
        _, key = issue_secret_key(tenant=riverside.tenant, label="hooks", scopes=[Can.READ_WEBHOOKS])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        path = f"/api/v1/webhooks/{webhook_id}/deliveries?limit=100"
        answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
    assert len(answer.json()["data"]) == count
    assert len(queries) <= 8
