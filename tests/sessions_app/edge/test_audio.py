"""The audio websocket: what is relayed, and how either end's close reaches the other."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from sessions_app.edge import audio
from sessions_app.edge.server import Reader
from sessions_app.edge.sockets import PROTOCOL
from sessions_app.history.models import Session
from sessions_app.tenants.scope import everyone
from tests.fakes.desk import TICKET, Desk, answered, audio_socket
from tests.fakes.house import Business
from tests.fakes.worker import FakeWorker


@sync_to_async
def session_of(business: Business) -> Session:
    with everyone():
        return Session.objects.get(pk=business.session.pk)


async def test_a_session_is_placed_as_a_leg_of_its_own_and_the_page_is_told(
    riverside: Business, worker: FakeWorker, desk: Desk
) -> None:
    async with audio_socket(riverside) as page:
        assert page.chosen == PROTOCOL
        assert await answered(page) == {"type": "answer", "leg": 1}
        (offer,) = worker.offers
        assert (offer.sdp, offer.transport, offer.session_id) == ("", "websocket", str(riverside.session.id))
        assert (await session_of(riverside)).mailbox == worker.mailbox
        assert desk.headers == [f"Bearer {TICKET}"]


async def test_sound_and_words_go_both_ways_as_they_are(riverside: Business, desk: Desk) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        await page.send_to(bytes_data=b"\x01\x02" * 320)
        await page.send_to(text_data='{"type": "beat"}')
        assert [await desk.hear(), await desk.hear()] == [b"\x01\x02" * 320, '{"type": "beat"}']
        await desk.say('{"type": "reply"}', b"\x03" * 1224)
        assert [await page.receive_from(5), await page.receive_from(5)] == ['{"type": "reply"}', b"\x03" * 1224]


async def test_a_second_socket_is_the_next_leg(riverside: Business, worker: FakeWorker, desk: Desk) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
    async with audio_socket(riverside) as page:
        assert (await answered(page))["leg"] == 2


async def test_a_page_that_leaves_is_told_to_the_worker_and_ends_no_session(riverside: Business, desk: Desk) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        await page.disconnect(code=1000)
        assert await desk.closed() == (1000, "")
    assert (await session_of(riverside)).state == "live"


@pytest.mark.parametrize(("code", "told"), [(1001, 1001), (1005, 1000), (1006, 1011), (4321, 4321)])
async def test_how_a_page_went_reaches_the_worker(riverside: Business, desk: Desk, code: int, told: int) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        await page.disconnect(code=code)
        assert (await desk.closed())[0] == told


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1000, "Goodbye.", (1000, "Goodbye.")),
        (4400, "a packet of version 7", (4400, "a packet of version 7")),
        (1011, "oops", audio.LOST),
        (1009, "", audio.LOST),
    ],
)
async def test_how_a_worker_closed_reaches_the_page(
    riverside: Business, desk: Desk, code: int, reason: str, told: tuple[int, str]
) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        assert desk.connection is not None
        await desk.connection.close(code, reason)
        assert await page.closed() == (int(told[0]), told[1])


async def test_a_worker_that_dies_is_a_lost_line(riverside: Business, desk: Desk) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        assert desk.connection is not None
        desk.connection.transport.abort()
        assert await page.closed() == (1013, "The line was lost. Try again.")


async def test_a_relay_that_is_stopped_leaves_the_worker_waiting_for_the_next_leg(
    riverside: Business, desk: Desk
) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        page.future.cancel()
        assert (await desk.closed())[0] == 1011


async def test_a_reader_that_is_behind_is_waited_for(riverside: Business, desk: Desk) -> None:
    reader = Reader(lambda: None, lambda *a: None)
    async with audio_socket(riverside, extensions={"goassist.reader": reader}) as page:
        await answered(page)
        reader.pauseProducing()
        await desk.say(b"1", b"2")
        assert await page.receive_nothing(0.2)
        reader.resumeProducing()
        assert [await page.receive_from(5), await page.receive_from(5)] == [b"1", b"2"]


async def test_a_page_that_leaves_while_it_is_placed_takes_no_relay(
    riverside: Business, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(audio.calls, "take_offer", slow)
    async with audio_socket(riverside) as page:
        await asked.wait()
        await page.disconnect(timeout=5)
        await page.wait(timeout=5)


@pytest.mark.parametrize("message", ["x" * 16_001, b"\x01" * 16_001])
async def test_a_huge_message_closes_both_ends(riverside: Business, desk: Desk, message: str | bytes) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        key = "text_data" if isinstance(message, str) else "bytes_data"
        await page.send_to(**{key: message})
        assert await page.closed() == (4400, "Messages have at most 16000 bytes.")
        assert (await desk.closed())[0] == 4400


async def test_a_flood_closes_both_ends(riverside: Business, desk: Desk) -> None:
    async with audio_socket(riverside) as page:
        await answered(page)
        for _ in range(audio.BURST + 50):
            await page.send_to(bytes_data=b"1")
        assert (await page.closed())[0] == 4429
        assert (await desk.closed())[0] == 4429


async def test_what_a_stuck_worker_does_not_take_is_dropped_and_the_newest_is_kept() -> None:
    class Flowing:
        """A page that says a hundred things and leaves."""

        left = None

        def __init__(self) -> None:
            self.rest: list[str | bytes] = [str(i) for i in range(100)]

        async def hear(self) -> str | bytes | None:
            return self.rest.pop(0) if self.rest else None

    waiting: asyncio.Queue[str | bytes] = asyncio.Queue(audio.WAITING)
    assert await audio._listen(Flowing(), waiting) == (1005, "")  # type: ignore[arg-type]
    kept = [waiting.get_nowait() for _ in range(waiting.qsize())]
    assert kept == [str(i) for i in range(100 - audio.WAITING, 100)]


@sync_to_async
def queries() -> int:
    """Of the thread in which synchronous code runs."""
    connection.force_debug_cursor = True
    return len(connection.queries_log)


async def test_nothing_of_a_call_is_asked_of_the_database_once_it_is_placed(riverside: Business, desk: Desk) -> None:
    before = await queries()
    async with audio_socket(riverside) as page:
        await answered(page)
        placed = await queries()
        for i in range(50):
            await page.send_to(bytes_data=bytes([i]) * 648)
            await desk.say(json.dumps({"type": "beat", "t_audio_ms": i}))
        for _ in range(50):
            await desk.hear()
            await page.receive_from(5)
        assert placed > before
        assert await queries() == placed
