"""All lines are taken: who waits, where in line, and who is not even let wait."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import connection

from pipeline.contracts.wire import offers_channel
from sessions_app import switchboard
from sessions_app.operations import queue, seating
from sessions_app.operations.queue import queue_of
from tests.fakes.house import Business, Caller, is_problem
from tests.fakes.office import make_session
from tests.fakes.sockets import Socket
from tests.fakes.worker import FakeWorker
from tests.sessions_app.edge.test_api import change

OFFER = {"type": "offer", "sdp": "v=0\r\n"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Times that a test need not wait for."""
    place = switchboard.place
    monkeypatch.setattr(switchboard, "place", lambda **k: place(**k, deadline_s=0.1))
    monkeypatch.setattr(seating, "TELL_AFTER_S", 0.05)
    monkeypatch.setattr(seating, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(switchboard.roll_call, "__kwdefaults__", {"wait_s": 0.05})
    yield


@pytest.fixture
async def empty_layer() -> Any:
    await get_channel_layer().flush()
    yield
    await asyncio.gather(*seating._offers, return_exceptions=True)  # of those who went away meanwhile
    await get_channel_layer().flush()


def another(business: Business) -> Business:
    """Another visitor of the same assistant."""
    return replace(business, session=make_session(business.assistant))


def socket(business: Business) -> Socket:
    return Socket(f"/ws/v1/sessions/{business.session.id}/", business.token())


async def offers_over_http(business: Business) -> Any:
    return await Caller(business.token())("POST", f"/sessions/{business.session.id}/offer", OFFER)


async def waiting() -> int:
    return await queue_of("default").length(queue.epoch_s())


# The socket -------------------------------------------------------------------------------------------------------


async def test_a_page_is_told_its_place_and_answered_when_a_seat_is_free(
    riverside: Business, empty_layer: None
) -> None:
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        assert await page.hear() == {"type": "queued", "place": 1}
        async with FakeWorker():
            assert (await page.hear())["type"] == "answer"
        assert await waiting() == 0


async def test_each_hears_when_those_before_have_gone(riverside: Business, empty_layer: None) -> None:
    second = await database_sync_to_async(another)(riverside)
    async with socket(riverside) as first_page, socket(second) as second_page:
        await first_page.send_json_to(OFFER)
        assert (await first_page.hear())["place"] == 1
        await second_page.send_json_to(OFFER)
        assert (await second_page.hear())["place"] == 2
        await first_page.send_json_to({"type": "hangup"})
        await first_page.closed()
        assert (await second_page.hear()) == {"type": "queued", "place": 1}
        async with FakeWorker() as worker:
            assert (await second_page.hear())["type"] == "answer"
        assert str(second.session.id) in {offer.session_id for offer in worker.offers}


async def test_a_page_that_lost_its_socket_has_kept_its_place(riverside: Business, empty_layer: None) -> None:
    second = await database_sync_to_async(another)(riverside)
    async with socket(riverside) as page, socket(second) as behind:
        await page.send_json_to(OFFER)
        await page.hear()
        await behind.send_json_to(OFFER)
        assert (await behind.hear())["place"] == 2
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        assert (await page.hear()) == {"type": "queued", "place": 1}


async def test_candidates_of_an_offer_that_waits_go_to_who_takes_it(riverside: Business, empty_layer: None) -> None:
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        await page.hear()
        await page.send_json_to({"type": "candidate", "candidate": "candidate:1", "sdpMid": "0"})
        async with FakeWorker() as worker:
            assert (await page.hear())["type"] == "answer"
            assert (await worker.mail_of("candidate"))["candidate"] == "candidate:1"


async def test_words_wait_for_a_seat_as_well(riverside: Business, empty_layer: None) -> None:
    async with socket(riverside) as page:
        await page.send_json_to({"type": "chat", "text": "hi", "id": "m1"})
        assert await page.hear() == {"type": "queued", "place": 1, "id": "m1"}
        async with FakeWorker():
            assert (await page.hear())["text"] == "You said: hi"


async def test_nobody_waits_for_ever(riverside: Business, empty_layer: None, settings: Any) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_queue_wait_s": 0.1})
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        assert (await page.hear())["type"] == "queued"
        told = await page.hear()
        assert (told["type"], told["code"], "place" in told) == ("error", "busy", False)
        assert told["retry_after_s"] == seating.FULL_RETRY_S
    assert await waiting() == 0


async def test_who_was_in_a_call_stands_before_who_never_was(riverside: Business, empty_layer: None) -> None:
    caller = await database_sync_to_async(another)(riverside)
    await change(caller.session, mailbox="worker.dead", state="live", leg=1)
    async with socket(riverside) as newcomer, socket(caller) as reconnecting:
        await newcomer.send_json_to(OFFER)
        assert (await newcomer.hear())["place"] == 1
        await reconnecting.send_json_to(OFFER)
        assert (await reconnecting.hear())["place"] == 1
        assert (await newcomer.hear())["place"] == 2


# HTTP -------------------------------------------------------------------------------------------------------------


async def test_a_caller_over_http_is_told_its_place_and_keeps_it(riverside: Business, empty_layer: None) -> None:
    second = await database_sync_to_async(another)(riverside)
    for business, place in ((riverside, 1), (second, 2), (riverside, 1), (second, 2)):
        response = await offers_over_http(business)
        assert is_problem(response, 503, "busy")
        assert response.json()["place"] == place
        assert response["Retry-After"] == str(seating.QUEUE_RETRY_S)
    async with FakeWorker():
        assert (await offers_over_http(riverside)).status_code == 200


async def test_no_database_connection_is_kept_that_a_restart_would_break(
    riverside: Business, worker: FakeWorker
) -> None:
    """An offer outlives its request and does not end with the signal that closes connections."""
    assert (await offers_over_http(riverside)).status_code == 200
    assert await sync_to_async(lambda: connection.connection)() is None


async def test_ending_a_session_gives_its_place_up(riverside: Business, empty_layer: None) -> None:
    await offers_over_http(riverside)
    assert await waiting() == 1
    await Caller(riverside.token())("DELETE", f"/sessions/{riverside.session.id}")
    assert await waiting() == 0


async def test_a_full_queue_refuses_at_once(riverside: Business, empty_layer: None, settings: Any) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_queue_length": 1})
    second = await database_sync_to_async(another)(riverside)
    await offers_over_http(riverside)
    response = await offers_over_http(second)
    assert is_problem(response, 503, "busy")
    assert "place" not in response.json()
    assert response["Retry-After"] == str(seating.FULL_RETRY_S)


async def test_one_seat_for_two_goes_to_who_came_first(riverside: Business, empty_layer: None) -> None:
    """Two that wait over sockets; a worker that takes a single offer."""
    second = await database_sync_to_async(another)(riverside)
    layer = get_channel_layer()
    async with socket(riverside) as one, socket(second) as two:
        await one.send_json_to(OFFER)
        await one.hear()
        await two.send_json_to(OFFER)
        await two.hear()
        await asyncio.sleep(0.2)  # offers that were made on the way in have run out
        while (taken := await layer.receive(offers_channel()))["deadline"] < queue.epoch_s():
            pass
        assert taken["session_id"] == str(riverside.session.id)


# Level 5 ----------------------------------------------------------------------------------------------------------


async def test_overloaded_workers_take_no_new_session(riverside: Business, worker: FakeWorker) -> None:
    worker.report = replace(worker.report, level=5, why="errors", admits=False, rejects=True)
    response = await Caller(riverside.secret_key)("POST", "/sessions", {"assistant": str(riverside.assistant.id)})
    assert is_problem(response, 503, "busy")
    assert "more to do than it can do well" in response.json()["detail"]
    assert int(response["Retry-After"]) > 0


async def test_one_worker_that_is_well_is_enough(riverside: Business, worker: FakeWorker) -> None:
    worker.report = replace(worker.report, level=5, admits=False, rejects=True)
    async with FakeWorker(name="fake-2"):
        response = await Caller(riverside.secret_key)("POST", "/sessions", {"assistant": str(riverside.assistant.id)})
    assert response.status_code == 201


async def test_an_offer_to_overloaded_workers_is_refused_and_nobody_waits(
    riverside: Business, worker: FakeWorker
) -> None:
    worker.report = replace(worker.report, level=5, admits=False, rejects=True)
    worker.refusal = ("busy", "the door is shut")
    async with socket(riverside) as page:
        await page.send_json_to(OFFER)
        told = await page.hear()
        assert (told["type"], told["code"]) == ("error", "busy")
        assert "more to do" in told["text"]
    assert await waiting() == 0
