"""Quotas, and limits by key and address, as callers of the API and of the sockets meet them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from sessions_app.history.models import Session
from sessions_app.tenants.models import PublishableKey
from sessions_app.tenants.scope import everyone
from sessions_app.usage.models import Quota, UsageDay
from sessions_app.usage.quotas import HOLD_S
from tests.fakes.desk import Desk, audio_socket
from tests.fakes.house import LISTED_ORIGIN, Business, Caller, is_problem
from tests.fakes.sockets import Socket
from tests.fakes.worker import FakeWorker

OFFER = {"sdp": "v=0\r\n", "type": "offer"}
SOCKET_OFFER = {"type": "offer", "sdp": "v=0\r\n"}


@sync_to_async
def limit(business: Business, **limits: int) -> None:
    with everyone():
        Quota.objects.update_or_create(tenant=business.tenant, defaults=limits)


@sync_to_async
def use_up(business: Business) -> None:
    """The one minute that the quota allows."""
    with everyone():
        Quota.objects.update_or_create(tenant=business.tenant, defaults={"minutes_a_month": 1})
        UsageDay.objects.create(
            tenant=business.tenant, day=timezone.now().date(), assistant=business.assistant, assistant_name="Robin",
            channel="voice", seconds=60,
        )  # fmt: skip


@sync_to_async
def change(business: Business, **fields: Any) -> None:
    with everyone():
        Session.objects.filter(pk=business.session.pk).update(**fields)


@sync_to_async
def by_page(business: Business) -> None:
    """As if the business's page had opened its session."""
    with everyone():
        key = PublishableKey.objects.get(key=business.publishable_key)
        Session.objects.filter(pk=business.session.pk).update(publishable_key=key)


async def opened(caller: Caller, business: Business, **headers: str) -> Any:
    return await caller("POST", "/sessions", {"assistant": business.assistant.slug}, **headers)


# Quotas ---------------------------------------------------------------------------------------------------------


async def test_one_session_too_many_is_told_when_to_ask_again(riverside: Business, server: Caller) -> None:
    await limit(riverside, concurrent_sessions=2)
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    assert (await opened(page, riverside)).status_code == 201  # the business has one already
    for caller in (page, server):
        refused = await opened(caller, riverside)
        assert is_problem(refused, 429, "quota_exceeded")
        assert refused["Retry-After"] == "30"
        assert "resets_at" not in refused.json()


async def test_a_used_up_month_is_told_with_the_day_it_begins_anew(
    riverside: Business, server: Caller, visitor: Caller, path: str, worker: FakeWorker
) -> None:
    await use_up(riverside)
    refused = await opened(server, riverside)
    assert is_problem(refused, 429, "quota_exceeded")
    resets_at = datetime.fromisoformat(refused.json()["resets_at"])
    assert f"{resets_at:%Y-%m-%d}" in refused.json()["detail"]
    assert resets_at.day == 1
    for what, body in (("offer", OFFER), ("chat", {"message": "hi"})):
        assert is_problem(await visitor("POST", f"{path}/{what}", body), 429, "quota_exceeded")
    assert worker.offers == []


async def test_a_call_that_runs_goes_on_when_the_quota_is_used_up(
    riverside: Business, visitor: Caller, path: str, worker: FakeWorker
) -> None:
    assert (await visitor("POST", f"{path}/offer", OFFER)).status_code == 200
    await use_up(riverside)
    await limit(riverside, concurrent_sessions=1)
    assert (await visitor("POST", f"{path}/offer", OFFER)).json()["leg"] == 2
    assert (await visitor("POST", f"{path}/chat", {"message": "hi"})).status_code == 200


async def test_another_tenants_quota_is_nobody_elses(riverside: Business, harbor: Business, server: Caller) -> None:
    await use_up(harbor)
    assert (await opened(server, riverside)).status_code == 201


async def test_the_signaling_socket_says_it_with_the_same_code(riverside: Business, worker: FakeWorker) -> None:
    await use_up(riverside)
    async with Socket(f"/ws/v1/sessions/{riverside.session.id}/", riverside.token()) as page:
        for message in (SOCKET_OFFER, {"type": "chat", "text": "hi", "id": "1"}):
            await page.send_json_to(message)
            told = await page.hear()
            assert (told["type"], told["code"]) == ("error", "quota_exceeded")
            assert told["retry_after_s"] > 0


async def test_the_audio_socket_says_it_too(riverside: Business, desk: Desk) -> None:
    await limit(riverside, concurrent_sessions=1)
    await opened(Caller(riverside.secret_key), riverside)
    await change(riverside, held_at=timezone.now() - timedelta(seconds=HOLD_S + 1))
    await opened(Caller(riverside.secret_key), riverside)
    async with audio_socket(riverside) as page:
        assert (await page.hear())["code"] == "quota_exceeded"
        assert (await page.closed())[0] == 4429


# Key and address ------------------------------------------------------------------------------------------------


async def test_a_new_session_is_no_new_start_for_offers_and_messages(
    riverside: Business, worker: FakeWorker, settings: Any
) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(
        update={"goassist_offers_per_minute": 3, "goassist_chats_per_minute": 3}
    )
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    sessions = [(await opened(page, riverside)).json() for _ in range(2)]
    for what, body in (("offer", OFFER), ("chat", {"message": "hi"})):
        answers = [
            (await Caller(session["token"])("POST", f"/sessions/{session['id']}/{what}", body)).status_code
            for session in [*sessions, *sessions]
        ]
        assert answers == [200, 200, 200, 429], what


async def test_sessions_that_a_server_opened_are_counted_each_for_itself(
    riverside: Business, server: Caller, worker: FakeWorker, settings: Any
) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_chats_per_minute": 1})
    for _ in range(3):
        session = (await opened(server, riverside)).json()
        chat = f"/sessions/{session['id']}/chat"
        answers = [await Caller(session["token"])("POST", chat, {"message": "hi"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]


async def test_a_tenants_server_that_asks_for_a_pages_session_is_not_counted_by_its_address(
    riverside: Business, server: Caller, worker: FakeWorker, settings: Any
) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_chats_per_minute": 1})
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    for _ in range(2):
        session = (await opened(page, riverside)).json()
        assert (await server("POST", f"/sessions/{session['id']}/chat", {"message": "hi"})).status_code == 200


@pytest.mark.parametrize(("proxies", "admitted"), [(0, 5), (1, 8)])
async def test_an_address_that_a_visitor_made_up_counts_only_behind_our_own_proxy(
    riverside: Business, settings: Any, proxies: int, admitted: int
) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_trusted_proxies": proxies})
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    answers = [await opened(page, riverside, **{"X-Forwarded-For": f"192.0.2.{n}"}) for n in range(8)]
    assert [answer.status_code for answer in answers].count(201) == admitted


@pytest.mark.parametrize("lie_first", [True, False])
async def test_behind_a_proxy_it_is_the_last_address_that_counts(
    riverside: Business, settings: Any, lie_first: bool
) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_trusted_proxies": 1})
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)

    def hops(n: int) -> str:
        return f"198.51.100.{n}, 192.0.2.1" if lie_first else f"192.0.2.1, 198.51.100.{n}"

    answers = [await opened(page, riverside, **{"X-Forwarded-For": hops(n)}) for n in range(7)]
    assert [answer.status_code for answer in answers].count(429) == (2 if lie_first else 0)


async def test_over_a_websocket_the_address_counts_too(riverside: Business, worker: FakeWorker, settings: Any) -> None:
    """Whoever opens another socket, and says that they come from elsewhere, begins nothing anew."""
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_offers_per_minute": 2})
    await by_page(riverside)
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    other = (await opened(page, riverside)).json()
    doors = [(str(riverside.session.id), riverside.token()), (other["id"], other["token"])]
    told = []
    for number, (session_id, token) in enumerate([*doors, doors[1]]):
        socket = Socket(f"/ws/v1/sessions/{session_id}/", token)
        socket.scope["client"] = ["127.0.0.1", 40_000 + number]
        socket.scope["headers"].append((b"x-forwarded-for", f"192.0.2.{number}".encode()))
        async with socket as line:
            await line.send_json_to(SOCKET_OFFER)
            told.append((await line.hear()).get("code", "answered"))
    assert told == ["answered", "answered", "rate_limited"]
