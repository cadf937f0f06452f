"""The host with real media: offers, seats, chats, drains."""

import asyncio
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from pipeline.contracts.wire import WORKERS_GROUP, Chat, SpecChanged, offers_channel
from tests.fakes.machine import a_spec
from tests.pipeline.worker.conftest import Worker, a_worker, tone


def events(caller: object, kind: str) -> list[dict[str, object]]:
    return [m for m in caller.controls if m.get("event") == kind]  # type: ignore[attr-defined]


async def test_a_caller_is_heard_and_answered(worker: Worker) -> None:
    caller, _ = await worker.call("s1")
    await caller.say(tone(0.8))
    await caller.until(lambda: events(caller, "turn.done"))
    assert caller.loud()
    assert events(caller, "caption.final")[0]["text"] == "what are your hours"
    await caller.until(lambda: any(f["blendshapes"] for f in caller.faces) or caller.faces)
    await caller.close()


async def test_speaking_over_the_reply_stops_it(worker: Worker) -> None:
    caller, _ = await worker.call("s1")
    await caller.say(tone(0.8))
    await caller.until(lambda: [e for e in events(caller, "agent.text") if len(str(e["text"])) > 12])
    await caller.say(tone(0.8))
    await caller.until(lambda: events(caller, "turn.done"))
    assert [m for m in caller.controls if m.get("type") == "stop"]
    done = events(caller, "turn.done")[0]
    assert done["interrupted"]
    assert len(str(done["text"])) < len("We are open from nine until five, every day of the week except on Sundays.")
    await caller.close()


async def test_a_full_house_does_not_take_offers(tmp_path: Path) -> None:
    async with a_worker(tmp_path, seats=1, drain_deadline_s=0.1) as worker:
        caller, _ = await worker.call("s1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await worker.offer("s2", "")
        assert list(worker.host.sessions) == ["s1"]
        await caller.close()


async def test_a_broken_offer_is_refused_in_words_and_the_seat_is_free_again(tmp_path: Path) -> None:
    async with a_worker(tmp_path, seats=1, drain_deadline_s=0.1) as worker:
        for _ in range(3):
            refusal = await worker.offer("s1", "v=0\r\nrubbish")
            assert refusal["type"] == "refusal" and refusal["code"] == "bad_offer"
        assert (await worker.offer("s2", ""))["type"] == "answer"


async def test_an_expired_offer_is_dropped(worker: Worker) -> None:
    from pipeline.contracts.wire import Offer

    offer = Offer("s1", 1, a_spec().to_manifest(), "", "nobody", 1.0, [], 0.0)
    await worker.layer.send(offers_channel(), offer.to_wire())
    assert (await worker.offer("s2", ""))["type"] == "answer"
    assert list(worker.host.sessions) == ["s2"]


async def test_a_chat_is_answered_and_an_unknown_session_refused(worker: Worker) -> None:
    answer = await worker.offer("s1", "")
    for session_id, kind in (("s1", "chat_reply"), ("s9", "refusal")):
        reply_to = await worker.layer.new_channel()
        await worker.layer.send(answer["mailbox"], Chat(session_id, "hello", reply_to).to_wire())
        async with asyncio.timeout(5):
            assert (await worker.layer.receive(reply_to))["type"] == kind


async def test_the_same_session_offering_again_replaces_its_old_leg(worker: Worker) -> None:
    first, _ = await worker.call("s1")
    second, answer = await worker.call("s1")
    assert answer["leg"] == 1
    assert list(worker.host.sessions) == ["s1"]
    await second.say(tone(0.8))
    await second.until(lambda: events(second, "turn.done"))
    await first.close()
    await second.close()


async def test_a_new_version_reaches_live_sessions(worker: Worker) -> None:
    answer = await worker.offer("s1", "")
    spec = a_spec(persona="New.")
    await worker.layer.group_send(WORKERS_GROUP, SpecChanged("a1", spec.to_manifest()).to_wire())
    reply_to = await worker.layer.new_channel()
    async with asyncio.timeout(5):
        while worker.host.sessions["s1"].spec.persona != "New.":  # it is learnt beside the call
            await worker.layer.send(answer["mailbox"], Chat("s1", "hello", reply_to).to_wire())
            await worker.layer.receive(reply_to)


async def test_a_draining_worker_asks_its_sessions_to_move_and_takes_no_more(tmp_path: Path) -> None:
    async with a_worker(tmp_path, drain_deadline_s=5.0) as worker:
        caller, _ = await worker.call("s1")
        worker.host.drain()
        await caller.until(lambda: [m for m in caller.controls if m.get("type") == "moved"])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await worker.offer("s2", "")
    assert worker.ends() == ["moved"]
    await caller.close()


async def test_everything_said_and_told_is_in_the_store_when_the_worker_has_gone(tmp_path: Path) -> None:
    async with a_worker(tmp_path, drain_deadline_s=0.1) as worker:
        caller, _ = await worker.call("s1")
        await caller.say(tone(0.8))
        await caller.until(lambda: [m for m in caller.controls if m.get("type") == "reply"])
    assert [t.visitor_text for t in worker.turns()] == ["what are your hours"]
    assert worker.turns()[0].interrupted
    assert worker.ends() == ["drained"]
    assert list(tmp_path.iterdir()) == []
    await caller.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_a_worker_tells_its_health_and_metrics(tmp_path: Path) -> None:
    port = _free_port()
    async with a_worker(tmp_path, http_port=port, drain_deadline_s=0.1) as worker:
        await worker.offer("s1", "")
        async with asyncio.timeout(5):
            while (await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/healthz"))[0] != 200:
                await asyncio.sleep(0.05)
        assert (await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/readyz"))[0] == 200
        status, text = await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/metrics")
        assert status == 200 and "goassist_sessions 1.0" in text
        assert (await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/other"))[0] == 404
