from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app.tenants.audit import broken
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.permissions import KEY_SCOPES
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.house import Business, Caller, is_problem

DRAFT = {"greeting": "Hello.", "persona": "Kind.", "facts": [{"id": "hours", "topic": "open", "answer": "At nine."}]}


@pytest.fixture
def server(riverside: Business) -> Caller:
    with tenant_scope(riverside.tenant.id):
        return Caller(issue_secret_key(tenant=riverside.tenant, label="Builder", scopes=KEY_SCOPES)[1])


@sync_to_async
def audited(business: Business) -> list[tuple[str, str, str]]:
    with tenant_scope(business.tenant.id):
        assert broken(str(business.tenant.id)) is None
        rows = AuditEntry.objects.order_by("number").exclude(actor_kind="system")
        return list(rows.filter(target_kind="assistant").values_list("action", "actor_kind", "actor"))


async def test_an_assistant_is_built_published_and_spoken_with(riverside: Business, server: Caller) -> None:
    made = await server("POST", "/assistants", {"slug": "desk", "name": "Desk", "draft": DRAFT})
    assert made.status_code == 201, made.content
    assistant = made.json()
    assert assistant["id"].startswith("ast_")
    assert assistant["live_version"] is None
    assert assistant["draft"]["facts"] == DRAFT["facts"]
    at = f"/assistants/{assistant['id']}"
    assert is_problem(await server("POST", "/sessions", {"assistant": "desk"}), 409)

    version = (await server("POST", f"{at}/publish")).json()
    assert version["id"].startswith("ver_")
    assert (version["number"], version["assistant"]) == (1, assistant["id"])
    assert (await server("GET", at)).json()["live_version"] == version["id"]
    assert (await server("POST", "/sessions", {"assistant": "desk"})).status_code == 201

    changed = await server("PATCH", at, {"draft": {**DRAFT, "greeting": "Good day."}, "name": "Front desk"})
    assert (changed.json()["name"], changed.json()["draft"]["greeting"]) == ("Front desk", "Good day.")
    second = (await server("POST", f"{at}/publish")).json()
    assert (await server("POST", f"{at}/publish")).json() == second
    listed = (await server("GET", f"{at}/versions?limit=1")).json()
    assert ([row["number"] for row in listed["data"]], listed["has_more"]) == ([2], True)
    whole = (await server("GET", f"/versions/{version['id']}")).json()
    assert (whole["manifest"]["greeting"], whole["digest"]) == ("Hello.", version["digest"])
    done = ["assistant.created", "assistant.published", "assistant.changed", "assistant.published"]
    assert await audited(riverside) == [(action, "key", "Builder") for action in done]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"draft": {"greeting": "", "persona": "x"}}, "draft.greeting"),
        ({"draft": {"greeting": "x"}}, "draft.persona"),
        ({"draft": {**DRAFT, "facts": DRAFT["facts"] * 2}}, "two facts are called hours"),
        ({"draft": {**DRAFT, "surprise": 1}}, "draft.surprise"),
        ({"slug": "Not a slug"}, "slug"),
        ({"name": " \x01 "}, "name: Value error, must not be empty"),
    ],
)
async def test_what_cannot_be_is_told_at_its_place(server: Caller, change: dict[str, Any], words: str) -> None:
    answer = await server("POST", "/assistants", {"slug": "desk", "name": "Desk", "draft": DRAFT, **change})
    assert is_problem(answer, 422, "invalid")
    assert words in answer.json()["detail"]


async def test_a_slug_is_taken_once(riverside: Business, server: Caller) -> None:
    body = {"slug": riverside.assistant.slug, "name": "Again", "draft": DRAFT}
    assert is_problem(await server("POST", "/assistants", body), 409)
    other = (await server("POST", "/assistants", {**body, "slug": "other"})).json()
    assert is_problem(await server("PATCH", f"/assistants/{other['id']}", {"slug": riverside.assistant.slug}), 409)
    assert (await server("PATCH", f"/assistants/{other['id']}", {"slug": "other"})).status_code == 200


async def test_one_that_was_spoken_with_stays(riverside: Business, server: Caller) -> None:
    assert is_problem(await server("DELETE", f"/assistants/{riverside.assistant.id}"), 409)
    made = (await server("POST", "/assistants", {"slug": "desk", "name": "Desk", "draft": DRAFT})).json()
    assert (await server("DELETE", f"/assistants/{made['id']}")).status_code == 204
    assert is_problem(await server("GET", f"/assistants/{made['id']}"), 404)


@pytest.mark.parametrize("text", ["half a pair \ud83d", "nul \x00 in the middle"])
async def test_text_that_no_database_keeps_does_no_harm(server: Caller, text: str) -> None:
    answer = await server("POST", "/assistants", {"slug": "desk", "name": "Desk", "draft": {**DRAFT, "persona": text}})
    assert answer.status_code in {201, 400, 422}, answer.content
    if answer.status_code == 201:
        assert answer.json()["draft"]["persona"] == "nul  in the middle"
