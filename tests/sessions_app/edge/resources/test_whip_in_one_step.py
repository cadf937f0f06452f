"""A session opened and connected by WHIP in one step, with a key or an embed token."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app import switchboard
from sessions_app.edge import whip
from sessions_app.history.models import Session, SessionState
from sessions_app.operations import seating
from sessions_app.operations.queue import epoch_s, queue_of
from sessions_app.tenants import embed_tokens
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import tenant_scope
from sessions_app.tenants.services import issue_secret_key
from tests.fakes.house import LISTED_ORIGIN, Business, is_problem
from tests.fakes.office import make_assistant
from tests.fakes.whip import Client
from tests.fakes.worker import FakeWorker


@sync_to_async
def sessions_of(business: Business) -> dict[str, str]:
    """Id → state, without the one that was there from the beginning."""
    with tenant_scope(business.tenant.id):
        return dict(Session.objects.exclude(pk=business.session.id).values_list("id", "state"))


@sync_to_async
def embed_token(business: Business) -> str:
    with tenant_scope(business.tenant.id):
        key = PublishableKey.objects.get(label="Site").id
    token = embed_tokens.EmbedToken(str(business.tenant.id), key, business.assistant.id, LISTED_ORIGIN)
    return embed_tokens.issue(token)[0]


@sync_to_async
def server_key(business: Business, *scopes: Any) -> str:
    with tenant_scope(business.tenant.id):
        return issue_secret_key(tenant=business.tenant, label="narrow", scopes=scopes)[1]


@pytest.mark.parametrize("bearer", ["secret", "publishable", "embedded"])
async def test_who_opened_it_trickles_and_hangs_up(riverside: Business, worker: FakeWorker, bearer: str) -> None:
    bearers = {"secret": riverside.secret_key, "publishable": riverside.publishable_key}
    client = Client(bearers.get(bearer) or await embed_token(riverside), "" if bearer == "secret" else LISTED_ORIGIN)
    connection = await client.offer(f"/whip/{riverside.assistant.slug}")
    assert connection.status_code == 201
    session_id = connection["Location"].split("/")[4]
    assert connection["Location"] == whip.location(session_id, 1)
    if bearer != "secret":
        assert connection["Access-Control-Allow-Origin"] == LISTED_ORIGIN
        assert {"Location", "ETag", "Link"} <= set(connection["Access-Control-Expose-Headers"].split(", "))
    assert (await client.trickle(connection)).status_code == 204
    again = await client.offer(f"/sessions/{session_id}/whip")
    assert again["Location"] == whip.location(session_id, 2)
    assert (await client.hang_up(again)).status_code == 204
    assert (await sessions_of(riverside))[session_id] == SessionState.ENDED


async def test_a_pages_key_uses_nothing_that_was_not_opened_with_it(
    riverside: Business, worker: FakeWorker, path: str
) -> None:
    """Its own tenant's: refused in words, as elsewhere."""
    connection = await Client(riverside.token()).offer(f"{path}/whip")
    for bearer in (riverside.publishable_key, await embed_token(riverside)):
        page = Client(bearer, LISTED_ORIGIN)
        assert is_problem(await page.offer(f"{path}/whip"), 403)
        assert is_problem(await page.trickle(connection), 403)
        assert is_problem(await page.hang_up(connection), 403)
    assert riverside.session.id in worker.holds


async def test_a_token_for_one_assistant_opens_no_other(riverside: Business, worker: FakeWorker) -> None:
    other = await sync_to_async(make_assistant)(riverside.tenant)
    page = Client(await embed_token(riverside), LISTED_ORIGIN)
    assert is_problem(await page.offer(f"/whip/{other.slug}"), 403)
    assert not await sessions_of(riverside)


async def test_a_key_that_only_opens_may_not_hang_up(riverside: Business, worker: FakeWorker) -> None:
    client = Client(await server_key(riverside, Can.OPEN_SESSIONS))
    connection = await client.offer(f"/whip/{riverside.assistant.slug}")
    assert connection.status_code == 201
    assert is_problem(await client.hang_up(connection), 403)
    assert is_problem(
        await Client(await server_key(riverside, Can.USE_SESSIONS)).offer(f"/whip/{riverside.assistant.slug}"), 403
    )


async def test_who_is_refused_leaves_no_session_behind(riverside: Business, worker: FakeWorker) -> None:
    client = Client(riverside.secret_key)
    worker.refusal = ("bad_offer", "the offer has no audio")
    assert is_problem(await client.offer(f"/whip/{riverside.assistant.slug}"), 422, "bad_offer")
    assert list((await sessions_of(riverside)).values()) == [SessionState.ENDED]


async def test_who_finds_no_seat_keeps_no_place(
    riverside: Business, quick_doors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(switchboard.roll_call.__kwdefaults__, "wait_s", 0.05)
    answer = await Client(riverside.secret_key).offer(f"/whip/{riverside.assistant.slug}")
    assert is_problem(answer, 503, "busy")
    assert "place" not in answer.json()
    assert int(answer["Retry-After"]) == seating.FULL_RETRY_S
    assert await queue_of("default").length(epoch_s()) == 0
    assert list((await sessions_of(riverside)).values()) == [SessionState.ENDED]


async def test_who_goes_away_meanwhile_leaves_no_session_behind(
    riverside: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = switchboard.place
    monkeypatch.setattr(switchboard, "place", lambda **k: place(**k, deadline_s=0.5))
    asking = asyncio.create_task(Client(riverside.secret_key).offer(f"/whip/{riverside.assistant.slug}"))
    async with asyncio.timeout(5):
        while not seating._offers:
            await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert list((await sessions_of(riverside)).values()) == [SessionState.ENDED]
    await asyncio.gather(*seating._offers, return_exceptions=True)
    assert list((await sessions_of(riverside)).values()) == [SessionState.ENDED]


async def test_what_is_no_offer_opens_nothing(riverside: Business, harbor: Business) -> None:
    client = Client(riverside.secret_key)
    assert is_problem(await client.offer(f"/whip/{riverside.assistant.slug}", "{}", "application/json"), 415)
    assert is_problem(await client.offer(f"/whip/{harbor.assistant.slug}"), 404)
    assert is_problem(await client.offer("/whip/no%20name"), 422, "invalid")
    assert is_problem(await Client(riverside.token()).offer(f"/whip/{riverside.assistant.slug}"), 401)
    assert is_problem(await Client(riverside.publishable_key).offer(f"/whip/{riverside.assistant.slug}"), 403)
    assert not await sessions_of(riverside)


async def test_a_page_opens_as_many_as_it_may(riverside: Business, worker: FakeWorker, settings: Any) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_sessions_per_minute": 1})
    page = Client(riverside.publishable_key, LISTED_ORIGIN)
    assert (await page.offer(f"/whip/{riverside.assistant.slug}")).status_code == 201
    assert is_problem(await page.offer(f"/whip/{riverside.assistant.slug}"), 429, "rate_limited")
