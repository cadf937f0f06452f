"""Embed tokens: for one assistant, from one origin, for minutes, and only while the key they came from is in force."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app.edge import tokens
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.house import LISTED_ORIGIN, OWN_ORIGIN, Business, Caller, is_problem
from tests.fakes.office import make_assistant
from tests.fakes.worker import FakeWorker


async def token_for(business: Business, origin: str = LISTED_ORIGIN) -> dict[str, Any]:
    answer = await Caller(business.publishable_key, origin)(
        "POST", "/embed-tokens", {"assistant": business.assistant.slug}
    )
    assert answer.status_code == 201, answer.content
    assert answer["Access-Control-Allow-Origin"] == origin
    return answer.json()


async def opened(token: str, assistant: str, origin: str = LISTED_ORIGIN) -> Any:
    return await Caller(token, origin)("POST", "/sessions", {"assistant": assistant})


async def test_a_page_of_a_listed_origin_gets_a_token_and_opens_a_session_with_it(
    riverside: Business, worker: FakeWorker
) -> None:
    embed = await token_for(riverside)
    assert embed["assistant"] == {"id": riverside.assistant.id, "name": riverside.assistant.name}
    assert embed["tenant"] == {"name": riverside.tenant.name}
    session = await opened(embed["token"], riverside.assistant.id)
    assert session.status_code == 201, session.content
    assert session["Access-Control-Allow-Origin"] == LISTED_ORIGIN


async def test_a_page_of_another_origin_is_refused_in_words_that_it_may_read(riverside: Business) -> None:
    answer = await Caller(riverside.publishable_key, "https://evil.example")(
        "POST", "/embed-tokens", {"assistant": riverside.assistant.slug}
    )
    assert is_problem(answer, 403)
    assert "origin" in answer.json()["detail"]
    assert answer["Access-Control-Allow-Origin"] == "https://evil.example"


async def test_a_key_that_is_none_is_refused_in_words_that_the_page_may_read(riverside: Business) -> None:
    answer = await Caller("pk_wrong", "https://evil.example")("POST", "/embed-tokens", {"assistant": "desk"})
    assert is_problem(answer, 401)
    assert answer["Access-Control-Allow-Origin"] == "https://evil.example"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://www.riverside.example", OWN_ORIGIN, "null", ""])
async def test_the_token_works_from_its_own_origin_only(riverside: Business, origin: str) -> None:
    embed = await token_for(riverside)
    assert is_problem(await opened(embed["token"], riverside.assistant.id, origin), 403)


async def test_the_token_is_for_its_own_assistant_only(riverside: Business) -> None:
    other = await sync_to_async(make_assistant)(riverside.tenant)
    embed = await token_for(riverside)
    assert is_problem(await opened(embed["token"], other.id), 403)


async def test_the_token_falls_with_the_key_that_it_came_from(riverside: Business) -> None:
    embed = await token_for(riverside)

    def revoke() -> None:
        with tenant_scope(riverside.tenant.id):
            PublishableKey.objects.filter(key=riverside.publishable_key).update(revoked_at="2026-01-01T00:00Z")

    await sync_to_async(revoke)()
    assert is_problem(await opened(embed["token"], riverside.assistant.id), 401)


async def test_the_token_falls_when_its_origin_is_taken_from_the_key(riverside: Business) -> None:
    embed = await token_for(riverside)

    def move() -> None:
        with tenant_scope(riverside.tenant.id):
            PublishableKey.objects.filter(key=riverside.publishable_key).update(allowed_origins=["https://new.example"])

    await sync_to_async(move)()
    assert is_problem(await opened(embed["token"], riverside.assistant.id), 403)


def a_token(**changes: str) -> str:
    fields = {"tenant_id": "t", "key": "k", "assistant_id": "a", "origin": LISTED_ORIGIN, **changes}
    return embed_tokens.issue(embed_tokens.EmbedToken(**fields))[0]


def test_the_token_is_good_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    token, later = a_token(), time.time() + embed_tokens.LIFETIME.total_seconds()
    for seconds, good in ((-5, True), (5, False)):
        monkeypatch.setattr("django.core.signing.time", SimpleNamespace(time=lambda now=later + seconds: now))
        assert (embed_tokens.read(token) is not None) == good


def test_what_was_not_signed_as_an_embed_token_is_none() -> None:
    session = tokens.issue(tokens.SessionToken("ses_1", "t", "visitor"))[0]
    good = a_token()
    bent = [session, embed_tokens.PREFIX + session, good.removeprefix(embed_tokens.PREFIX), good[:-1], good + "x", ""]
    for text in [*bent, embed_tokens.PREFIX, "emb_..", "emb_eyJhbGciOiJub25lIn0.e30."]:
        assert embed_tokens.read(text) is None, text
    assert tokens.read(good) is None
    assert tokens.read(good.removeprefix(embed_tokens.PREFIX)) is None
