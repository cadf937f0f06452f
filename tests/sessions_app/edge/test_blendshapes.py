"""The blendshape websocket: frames for holders of a subscriber token, and nothing kept for slow readers."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.house import Business, Caller
from tests.fakes.sockets import Socket
from tests.fakes.worker import FakeWorker


def socket(business: Business, token: str, **options: Any) -> Socket:
    return Socket(f"/ws/v1/sessions/{business.session.id}/blendshapes", token, **options)


def frame(seq: int) -> dict[str, Any]:
    return {"session_id": "s", "seq": seq, "t_audio_ms": seq * 33.3, "fps": 30, "heartbeat": False, "blendshapes": {}}


async def test_every_subscriber_hears_every_frame_one_a_message(riverside: Business, worker: FakeWorker) -> None:
    session_id = str(riverside.session.id)
    token = (await Caller(riverside.token())("POST", f"/sessions/{session_id}/subscribers")).json()["token"]
    async with socket(riverside, token, origin="") as one, socket(riverside, token) as two:
        await worker.show(session_id, [frame(1), frame(2)])
        for watcher in (one, two):
            assert [await watcher.hear(), await watcher.hear()] == [frame(1), frame(2)]


async def test_events_and_words_are_not_for_subscribers(riverside: Business, worker: FakeWorker) -> None:
    session_id = str(riverside.session.id)
    async with socket(riverside, riverside.token("subscriber")) as watcher:
        await worker.say(session_id, "caption.final", text="private")
        await worker.show(session_id, [frame(1)])
        assert await watcher.hear() == frame(1)


async def test_frames_are_not_kept_for_a_reader_that_is_behind(riverside: Business, worker: FakeWorker) -> None:
    reader = SimpleNamespace(behind=True)
    extensions = {"goassist.reader": reader}
    async with (
        socket(riverside, riverside.token("subscriber"), extensions=extensions) as slow,
        socket(riverside, riverside.token("subscriber")) as quick,
    ):
        await worker.show(str(riverside.session.id), [frame(1)])
        assert await quick.hear() == frame(1)
        assert await slow.receive_nothing()
        reader.behind = False
        await worker.show(str(riverside.session.id), [frame(2)])
        assert await slow.hear() == frame(2)


async def test_a_visitors_token_is_for_something_else(riverside: Business) -> None:
    async with socket(riverside, riverside.token()) as watcher:
        assert (await watcher.closed())[0] == 4401


async def test_watching_ends_with_the_session(riverside: Business) -> None:
    async with socket(riverside, riverside.token("subscriber")) as watcher:
        await Caller(riverside.token())("DELETE", f"/sessions/{riverside.session.id}")
        assert (await watcher.closed())[0] == 4410


async def test_what_a_subscriber_says_is_not_heard(riverside: Business, worker: FakeWorker) -> None:
    async with socket(riverside, riverside.token("subscriber")) as watcher:
        await watcher.send_to(text_data="hello?")
        await worker.show(str(riverside.session.id), [frame(1)])
        assert await watcher.hear() == frame(1)
        for _ in range(110):
            await watcher.send_to(text_data="hello?")
        assert (await watcher.closed())[0] == 4429


@pytest.mark.parametrize("said", [{"text_data": "x" * 1001}, {"bytes_data": b"x" * 1001}])
async def test_a_subscriber_that_sends_much_is_not_listened_to(riverside: Business, said: dict[str, Any]) -> None:
    async with socket(riverside, riverside.token("subscriber")) as watcher:
        await watcher.send_to(**said)
        assert await watcher.closed() == (4400, "Messages have at most 1000 characters.")
