from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.house import Business, Caller, is_problem


@pytest.fixture
def janitor(riverside: Business) -> Caller:
    with tenant_scope(riverside.tenant.id):
        scopes = [Can.READ_KEYS, Can.WRITE_KEYS, Can.READ_SESSIONS]
        return Caller(issue_secret_key(tenant=riverside.tenant, label="Janitor", scopes=scopes)[1])


async def test_a_secret_key_is_shown_once_works_and_is_revoked(riverside: Business, janitor: Caller) -> None:
    ends = (timezone.now() + timedelta(days=1)).isoformat()
    made = await janitor("POST", "/secret-keys", {"label": "reports", "scopes": ["sessions:read"], "expires_at": ends})
    assert made.status_code == 201, made.content
    key, at = made.json()["key"], f"/secret-keys/{made.json()['id']}"
    assert key.startswith(made.json()["prefix"])
    assert (await Caller(key)("GET", "/sessions")).status_code == 200
    shown = await janitor("GET", at)
    assert key.encode() not in shown.content
    assert shown.json()["last_used_at"] is not None
    assert key.encode() not in (await janitor("GET", "/secret-keys")).content
    assert (await janitor("DELETE", at)).status_code == 204
    assert (await janitor("DELETE", at)).status_code == 204
    assert (await Caller(key)("GET", "/sessions")).status_code == 401
    assert (await janitor("GET", at)).json()["revoked_at"] is not None


async def test_a_key_gives_no_more_than_it_has(janitor: Caller) -> None:
    answer = await janitor("POST", "/secret-keys", {"label": "big", "scopes": ["keys:write", "assistants:write"]})
    assert is_problem(answer, 403)
    assert "assistants:write" in answer.json()["detail"]
    assert "keys:write," not in answer.json()["detail"]


@pytest.mark.parametrize("scope", ["installation", "owners:write", "everything", ""])
async def test_no_key_has_what_is_for_people(janitor: Caller, scope: str) -> None:
    assert is_problem(await janitor("POST", "/secret-keys", {"label": "x", "scopes": [scope]}), 422, "invalid")


@pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "2030-01-01T00:00:00", "soon"])
async def test_an_expiry_lies_ahead_and_says_its_zone(janitor: Caller, expires_at: str) -> None:
    body = {"label": "x", "scopes": ["keys:read"], "expires_at": expires_at}
    assert is_problem(await janitor("POST", "/secret-keys", body), 422, "invalid")


async def test_a_publishable_key_is_made_for_origins_and_revoked(riverside: Business, janitor: Caller) -> None:
    body = {"label": "shop", "allowed_origins": ["https://Shop.example"]}
    made = (await janitor("POST", "/publishable-keys", body)).json()
    assert made["allowed_origins"] == ["https://shop.example"]
    page = Caller(made["key"], "https://shop.example")
    assert (await page("POST", "/sessions", {"assistant": riverside.assistant.slug})).status_code == 201
    assert (await janitor("DELETE", f"/publishable-keys/{made['id']}")).status_code == 204
    assert (await page("POST", "/sessions", {"assistant": riverside.assistant.slug})).status_code == 401


@pytest.mark.parametrize("origin", ["*", "https://x.example/path", "javascript:alert(1)", "null", ""])
async def test_what_is_no_origin_is_told(janitor: Caller, origin: str) -> None:
    answer = await janitor("POST", "/publishable-keys", {"label": "x", "allowed_origins": [origin]})
    assert is_problem(answer, 422, "invalid")
    assert "is not an origin" in answer.json()["detail"]


async def test_a_repeated_request_shows_the_key_again_and_makes_no_second(riverside: Business, janitor: Caller) -> None:
    body, header = {"label": "x", "scopes": ["keys:read"]}, {"Idempotency-Key": "one"}
    first = (await janitor("POST", "/secret-keys", body, **header)).json()
    assert (await janitor("POST", "/secret-keys", body, **header)).json() == first
    rows = (await janitor("GET", "/secret-keys")).json()["data"]
    assert [row["label"] for row in rows].count("x") == 1
