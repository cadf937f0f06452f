"""The session API as its callers see it."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from pipeline.contracts.dialogue import LegRecord
from sessions_app import switchboard
from sessions_app.history.journal import apply_records
from sessions_app.history.models import Session
from sessions_app.operations import services, tasks
from sessions_app.tenants.scope import everyone
from tests.fakes.house import LISTED_ORIGIN, OWN_ORIGIN, Business, Caller, is_problem
from tests.fakes.worker import SDP, FakeWorker

OFFER = {"sdp": "v=0\r\n", "type": "offer"}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Deadlines of the switchboard that a test need not wait for."""
    place, ask_chat = switchboard.place, switchboard.ask_chat
    monkeypatch.setattr(switchboard, "place", lambda **k: place(**k, deadline_s=0.05))
    monkeypatch.setattr(switchboard, "ask_chat", lambda *a, **k: ask_chat(*a, **{**k, "sign_of_life_s": 0.05}))
    return iter(())


@sync_to_async
def change(session: Session, **values: Any) -> None:
    with everyone():
        Session.objects.filter(pk=session.pk).update(**values)


@sync_to_async
def fresh(session: Session) -> Session:
    with everyone():
        return Session.objects.get(pk=session.pk)


# Opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["id", "slug"])
async def test_a_session_is_opened_by_the_assistants_id_or_slug(riverside: Business, server: Caller, by: str) -> None:
    body = {"assistant": str(getattr(riverside.assistant, by)), "channel": "chat"}
    response = await server("POST", "/sessions", body)
    assert response.status_code == 201, response.content
    opened = response.json()
    assert opened["urls"]["signaling"] == f"ws://testserver/ws/v1/sessions/{opened['id']}/"
    assert opened["urls"]["blendshapes"] == f"ws://testserver/ws/v1/sessions/{opened['id']}/blendshapes"
    assert opened["ice_servers"] == []
    read = (await Caller(opened["token"])("GET", f"/sessions/{opened['id']}")).json()
    assert (read["channel"], read["state"], read["leg"]) == ("chat", "new", 0)
    assert read["assistant"] == str(riverside.assistant.id)


async def test_a_token_is_legal_as_a_websocket_subprotocol(riverside: Business) -> None:
    legal = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert set(riverside.token()) <= set(legal)


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, OWN_ORIGIN])
async def test_a_page_on_an_allowed_origin_opens_a_session(riverside: Business, origin: str) -> None:
    response = await Caller(riverside.publishable_key, origin)(
        "POST", "/sessions", {"assistant": riverside.assistant.slug}
    )
    assert response.status_code == 201
    assert response["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", ["", "https://evil.example", "null", "https://www.riverside.example.evil.example"])
async def test_a_publishable_key_is_useless_elsewhere(riverside: Business, origin: str) -> None:
    response = await Caller(riverside.publishable_key, origin)(
        "POST", "/sessions", {"assistant": riverside.assistant.slug}
    )
    assert is_problem(response, 403)
    assert "Access-Control-Allow-Origin" not in response


async def test_a_publishable_key_only_opens_sessions(riverside: Business, path: str) -> None:
    assert is_problem(await Caller(riverside.publishable_key, LISTED_ORIGIN)("GET", path), 403)


@pytest.mark.parametrize("bearer", ["", "pk_none", "sk_none", "x" * 5000, "sk_ü", "a.b.c", "Bearer"])
async def test_an_unknown_caller_is_told_so(riverside: Business, bearer: str) -> None:
    response = await Caller(bearer)("POST", "/sessions", {"assistant": riverside.assistant.slug})
    assert is_problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


async def test_a_sessions_token_opens_no_other_session(riverside: Business, visitor: Caller) -> None:
    assert is_problem(await visitor("POST", "/sessions", {"assistant": riverside.assistant.slug}), 401)


async def test_a_subscriber_token_is_no_visitor(riverside: Business, path: str) -> None:
    assert is_problem(await Caller(riverside.token("subscriber"))("GET", path), 401)


async def test_an_expired_token_opens_nothing(riverside: Business, settings: Any, path: str) -> None:
    token = riverside.token()
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_token_minutes": 0})
    assert is_problem(await Caller(token)("GET", path), 401)


async def test_the_sixth_session_in_a_minute_is_refused(riverside: Business) -> None:
    page = Caller(riverside.publishable_key, LISTED_ORIGIN)
    answers = [await page("POST", "/sessions", {"assistant": riverside.assistant.slug}) for _ in range(6)]
    assert [a.status_code for a in answers] == [201] * 5 + [429]
    assert is_problem(answers[5], 429, "rate_limited")
    assert 0 < int(answers[5]["Retry-After"]) <= 60


async def test_a_tenants_server_is_not_limited_by_its_address(riverside: Business, server: Caller) -> None:
    answers = [await server("POST", "/sessions", {"assistant": riverside.assistant.slug}) for _ in range(7)]
    assert {a.status_code for a in answers} == {201}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "assistant"),
        ({"assistant": ""}, "assistant"),
        ({"assistant": "a b"}, "assistant"),
        ({"assistant": 7}, "assistant"),
        ({"assistant": "x", "channel": "phone"}, "channel"),
    ],
)
async def test_an_invalid_body_names_its_fields(server: Caller, body: Any, field: str) -> None:
    response = await server("POST", "/sessions", body)
    assert is_problem(response, 422, "invalid")
    assert [e["field"] for e in response.json()["errors"]] == [field]


async def test_an_unknown_assistant_is_not_found(server: Caller) -> None:
    assert is_problem(await server("POST", "/sessions", {"assistant": "nobody"}), 404)


# Connecting -----------------------------------------------------------------------------------------------------


async def test_an_offer_is_answered_and_the_session_is_live(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    response = await visitor("POST", f"{path}/offer", OFFER)
    assert response.json() == {"sdp": SDP, "type": "answer", "leg": 1}
    session = await fresh(riverside.session)
    assert (session.state, session.leg, session.mailbox) == ("live", 1, worker.mailbox)


async def test_offering_again_is_the_next_leg(visitor: Caller, worker: FakeWorker, path: str) -> None:
    await visitor("POST", f"{path}/offer", OFFER)
    assert (await visitor("POST", f"{path}/offer", OFFER)).json()["leg"] == 2


@pytest.mark.parametrize("reason", ["failed", "vanished", "moved"])
async def test_a_leg_that_was_lost_is_followed_by_another_until_nobody_comes_back(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str, reason: str
) -> None:
    await visitor("POST", f"{path}/offer", OFFER)
    session = riverside.session
    lost = LegRecord("ended", str(session.id), str(session.tenant_id), 1, time.time(), worker.name, reason)
    await sync_to_async(apply_records)([lost])
    assert (await visitor("POST", f"{path}/offer", OFFER)).json()["leg"] == 2
    await change(session, last_seen_at=timezone.now() - timedelta(seconds=services.SILENT_S + 1))
    await sync_to_async(tasks.reap_sessions)()
    assert (await fresh(session)).end_reason == services.LOST
    for what, body in (("offer", OFFER), ("chat", {"message": "hello?"})):
        assert (await visitor("POST", f"{path}/{what}", body)).json()["code"] == "session_over"


async def test_a_session_that_moves_is_let_go_by_its_old_worker(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    async with FakeWorker(name="old", pool="elsewhere") as old:
        await change(riverside.session, mailbox=old.mailbox, state="live", leg=1)
        assert (await visitor("POST", f"{path}/offer", OFFER)).status_code == 200
        assert (await old.mail_of("hangup"))["reason"] == "moved"


async def test_a_full_house_is_busy_with_a_time_to_come_back(visitor: Caller, hasty: None, path: str) -> None:
    response = await visitor("POST", f"{path}/offer", OFFER)
    assert is_problem(response, 503, "busy")
    assert int(response["Retry-After"]) > 0


async def test_a_lost_connections_own_seat_is_freed_for_its_next_offer(
    riverside: Business, visitor: Caller, hasty: None, path: str
) -> None:
    async with FakeWorker(pool="nobody-offers-here") as full:
        await change(riverside.session, mailbox=full.mailbox, state="live", leg=1)
        assert is_problem(await visitor("POST", f"{path}/offer", OFFER), 503, "busy")
        assert (await full.mail_of("hangup"))["reason"] == "moved"


async def test_an_offer_that_no_worker_can_read_is_unprocessable(
    visitor: Caller, worker: FakeWorker, path: str
) -> None:
    worker.refusal = ("bad_offer", "no audio in the offer")
    response = await visitor("POST", f"{path}/offer", OFFER)
    assert is_problem(response, 422, "bad_offer")


async def test_an_engines_own_words_stay_inside(visitor: Caller, worker: FakeWorker, path: str) -> None:
    worker.refusal = ("engine_failed", "CUDA at 0xdeadbeef")
    response = await visitor("POST", f"{path}/offer", OFFER)
    assert is_problem(response, 503, "engine_failed")
    assert b"0xdeadbeef" not in response.content


async def test_the_eleventh_offer_in_a_minute_is_refused(visitor: Caller, worker: FakeWorker, path: str) -> None:
    answers = [await visitor("POST", f"{path}/offer", OFFER) for _ in range(11)]
    assert [a.status_code for a in answers] == [200] * 10 + [429]


async def test_candidates_go_to_the_worker(visitor: Caller, worker: FakeWorker, path: str) -> None:
    candidate = {"candidate": "candidate:1 1 udp 1 1.2.3.4 5 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
    assert is_problem(await visitor("POST", f"{path}/ice-candidates", candidate), 409)
    await visitor("POST", f"{path}/offer", OFFER)
    assert (await visitor("POST", f"{path}/ice-candidates", candidate)).status_code == 204
    assert (await worker.mail_of("candidate"))["sdp_m_line_index"] == 0


# Chat -----------------------------------------------------------------------------------------------------------


async def test_the_first_chat_message_finds_a_worker(visitor: Caller, worker: FakeWorker, path: str) -> None:
    response = await visitor("POST", f"{path}/chat", {"message": "  hello\x00 "})
    assert response.json()["reply"] == "You said: hello"
    assert [offer.sdp for offer in worker.offers] == [""]
    await visitor("POST", f"{path}/chat", {"message": "again"})
    assert len(worker.offers) == 1


async def test_chats_at_once_share_one_worker(visitor: Caller, worker: FakeWorker, path: str) -> None:
    answers = await asyncio.gather(*(visitor("POST", f"{path}/chat", {"message": "hi"}) for _ in range(3)))
    assert {a.status_code for a in answers} == {200}
    assert len(worker.offers) == 1


async def test_chat_goes_on_with_another_worker_when_one_is_gone(
    riverside: Business, visitor: Caller, worker: FakeWorker, hasty: None, path: str
) -> None:
    await change(riverside.session, mailbox="worker.dead", state="live", leg=1)
    response = await visitor("POST", f"{path}/chat", {"message": "still there?"})
    assert response.json()["reply"] == "You said: still there?"
    assert worker.offers[0].leg == 2


async def test_the_thirty_first_message_in_a_minute_is_refused(visitor: Caller, worker: FakeWorker, path: str) -> None:
    answers = [await visitor("POST", f"{path}/chat", {"message": "hi"}) for _ in range(31)]
    assert [a.status_code for a in answers] == [200] * 30 + [429]


@pytest.mark.parametrize("message", ["", "   ", "\x00\x01", "x" * 2001])
async def test_an_empty_or_endless_message_is_invalid(visitor: Caller, path: str, message: str) -> None:
    assert is_problem(await visitor("POST", f"{path}/chat", {"message": message}), 422, "invalid")


# Ending ---------------------------------------------------------------------------------------------------------


async def test_a_session_is_ended_once_and_stays_readable(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    await visitor("POST", f"{path}/offer", OFFER)
    assert (await visitor("DELETE", path)).status_code == 204
    assert (await visitor("DELETE", path)).status_code == 204
    assert (await worker.mail_of("hangup"))["reason"] == "hangup"
    assert (await visitor("GET", path)).json()["end_reason"] == "hangup"
    assert (await visitor("GET", f"{path}/turns")).json() == {"data": [], "has_more": False, "next": None}


@pytest.mark.parametrize("what", ["offer", "chat", "ice-candidates", "subscribers"])
async def test_a_session_that_is_over_takes_nothing_more(visitor: Caller, path: str, what: str) -> None:
    bodies: dict[str, Any] = {"offer": OFFER, "chat": {"message": "hi"}, "ice-candidates": {}}
    await visitor("DELETE", path)
    assert is_problem(await visitor("POST", f"{path}/{what}", bodies.get(what)), 409, "session_over")


async def test_a_session_is_over_after_an_hour(riverside: Business, visitor: Caller, path: str) -> None:
    await change(riverside.session, created_at=timezone.now() - timedelta(hours=1))
    assert is_problem(await visitor("POST", f"{path}/offer", OFFER), 409, "session_over")


async def test_a_subscriber_gets_a_token_of_its_own(riverside: Business, visitor: Caller, path: str) -> None:
    response = await visitor("POST", f"{path}/subscribers")
    assert response.status_code == 201
    assert response.json()["url"].endswith(f"{riverside.session.id}/blendshapes")
    assert is_problem(await Caller(response.json()["token"])("GET", path), 401)
