"""The audio websocket: who is not let in, and is told why."""

import pytest

from tests.fakes.desk import Desk, answered, audio_socket
from tests.fakes.house import LISTED_ORIGIN, Business, Caller
from tests.fakes.worker import FakeWorker


async def test_without_a_token_the_door_stays_shut(riverside: Business, worker: FakeWorker) -> None:
    for token in ("none", "a.b.c", riverside.token("subscriber"), riverside.secret_key):
        async with audio_socket(riverside, token) as page:
            assert (await page.closed())[0] == 4401
    assert worker.offers == []


async def test_another_tenants_token_finds_no_session(
    riverside: Business, harbor: Business, worker: FakeWorker
) -> None:
    async with audio_socket(riverside, harbor.token()) as page:
        assert await page.closed() == (4404, "There is no such session.")
    assert worker.offers == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_origin_is_refused(riverside: Business, worker: FakeWorker, origin: str) -> None:
    async with audio_socket(riverside, origin=origin) as page:
        assert await page.closed() == (4403, "This origin is not allowed.")
    assert worker.offers == []


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, ""])
async def test_a_listed_origin_and_no_browser_at_all_are_welcome(riverside: Business, desk: Desk, origin: str) -> None:
    async with audio_socket(riverside, origin=origin) as page:
        await answered(page)


async def test_a_session_that_is_over_says_so(riverside: Business) -> None:
    await Caller(riverside.token())("DELETE", f"/sessions/{riverside.session.id}")
    async with audio_socket(riverside) as page:
        error = await page.hear()
        assert (error["type"], error["code"]) == ("error", "session_over")
        assert await page.closed() == (4410, error["text"])


async def test_too_many_offers_are_told_when_to_come_back(riverside: Business, desk: Desk) -> None:
    for _ in range(10):
        async with audio_socket(riverside) as page:
            await answered(page)
    async with audio_socket(riverside) as page:
        error = await page.hear()
        assert error["code"] == "rate_limited"
        assert error["retry_after_s"] > 0
        assert (await page.closed())[0] == 4429


@pytest.mark.parametrize(("code", "closes"), [("bad_offer", 4400), ("engine_failed", 1013)])
async def test_a_refusal_is_told_in_words(riverside: Business, worker: FakeWorker, code: str, closes: int) -> None:
    worker.refusal = (code, "not now")
    async with audio_socket(riverside) as page:
        error = await page.hear()
        assert error["code"] == code
        assert error["text"]
        assert (await page.closed())[0] == closes


@pytest.mark.parametrize("door", ["", "unix:/nowhere/at/all.sock", "ws://127.0.0.1:1/", "http://nonsense"])
async def test_a_door_that_cannot_be_reached_is_a_lost_line(riverside: Business, worker: FakeWorker, door: str) -> None:
    worker.audio = door
    async with audio_socket(riverside) as page:
        assert (await page.closed())[0] == 1013


async def test_who_finds_no_seat_is_told_the_place_in_line_and_is_taken_when_there_is_one(
    riverside: Business, worker: FakeWorker, desk: Desk
) -> None:
    worker.refusal = ("busy", "no seat")
    async with audio_socket(riverside) as page:
        assert await page.hear() == {"type": "queued", "place": 1}
        worker.refusal = None
        await answered(page)
