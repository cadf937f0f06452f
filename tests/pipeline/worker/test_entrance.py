"""Offers on their way to become sessions: nothing is left behind, nobody is taken twice."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.errors import BusyError, EngineError
from pipeline.contracts.wire import Chat, Hangup, Offer, offers_channel
from pipeline.worker import metrics
from pipeline.worker.entrance import Entrance
from tests.fakes.machine import a_spec
from tests.pipeline.worker.conftest import Worker, a_worker


def an_offer(leg: int = 1, deadline_s: float = 4.0, session_id: str = "s1", reply_to: str = "r", **spec: Any) -> Offer:
    now = time.time()
    return Offer(session_id, leg, a_spec(**spec).to_manifest(), "", reply_to, now + deadline_s, [], now)


async def gone(worker: Worker) -> None:
    async with asyncio.timeout(5):
        while worker.host.sessions:
            await asyncio.sleep(0.01)


async def test_offers_of_one_session_come_in_one_after_the_other() -> None:
    entrance, inside = Entrance(), []

    async def come_in(leg: int) -> None:
        async with entrance.admit(an_offer(leg)):
            inside.append(leg)
            await asyncio.sleep(0)
            inside.append(leg)

    await asyncio.gather(come_in(1), come_in(2))
    assert inside == [1, 1, 2, 2]


async def test_what_is_being_made_is_undone_when_nobody_waits_for_it_any_more() -> None:
    undone = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with Entrance().admit(an_offer(deadline_s=0.01)):
            try:
                await asyncio.Event().wait()
            finally:
                undone.set()
    assert undone.is_set()


async def test_who_hangs_up_on_the_way_in_is_not_wanted_and_who_only_moved_is() -> None:
    entrance = Entrance()
    entrance.hang_up("s1", "hangup")
    async with entrance.admit(an_offer()):
        assert not entrance.unwanted("s1"), "that was before"
        entrance.hang_up("s1", "moved")
        assert not entrance.unwanted("s1")
        entrance.hang_up("s1", "hangup")
        assert entrance.unwanted("s1")
    assert not entrance.unwanted("s1")


async def test_an_answer_that_cannot_be_sent_frees_the_seat(tmp_path: Path) -> None:
    async with a_worker(tmp_path, seats=1, drain_deadline_s=0.1) as worker:
        send = worker.layer.send

        async def away(channel: str, message: dict[str, Any]) -> None:
            if message["type"] == "answer":
                raise ConnectionError("redis is away")
            await send(channel, message)

        worker.layer.send = away
        before = metrics.ERRORS.labels("answer")._value.get()
        await send(offers_channel(), an_offer().to_wire())
        async with asyncio.timeout(5):
            while metrics.ERRORS.labels("answer")._value.get() == before:
                await asyncio.sleep(0.01)
        await gone(worker)
        worker.layer.send = send
        assert (await worker.offer("s2", ""))["type"] == "answer"


async def test_a_late_offer_of_an_earlier_leg_does_not_take_the_session_over(worker: Worker) -> None:
    assert (await worker.offer("s1", "", leg=3))["type"] == "answer"
    refusal = await worker.offer("s1", "", leg=2)
    assert (refusal["type"], refusal["code"]) == ("refusal", BusyError.code)
    assert worker.host.sessions["s1"].leg == 3


async def test_two_offers_of_one_session_at_once_leave_one_session_and_one_seat_taken(tmp_path: Path) -> None:
    async with a_worker(tmp_path, seats=3, drain_deadline_s=0.1) as worker:
        await asyncio.gather(worker.offer("s1", "", leg=1), worker.offer("s1", "", leg=2))
        async with asyncio.timeout(5):
            while worker.host._seats.taken > 2:  # the third is for who waits for the next offer
                await asyncio.sleep(0.01)
        assert list(worker.host.sessions) == ["s1"]


async def test_a_chat_right_behind_the_offer_is_answered(worker: Worker) -> None:
    """The office may type as soon as it has the answer, before the session had a chance to run."""
    for i in range(20):
        answer = await worker.offer(f"s{i}", "")
        reply_to = await worker.layer.new_channel()
        await worker.layer.send(answer["mailbox"], Chat(f"s{i}", "hello", reply_to).to_wire())
        async with asyncio.timeout(5):
            assert (await worker.layer.receive(reply_to))["type"] == "chat_reply"
        await worker.layer.send(answer["mailbox"], Hangup(f"s{i}", "hangup").to_wire())
        await gone(worker)


async def test_a_session_that_cannot_be_put_together_closes_what_was_open(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    class Ears:
        async def close(self) -> None:
            closed.append("ears")

    async def ears(self: Any, spec: Any) -> Ears:
        return Ears()

    def no_face(self: Any, seed: int) -> None:
        raise EngineError("face", "no face today")

    monkeypatch.setattr("pipeline.engines.scripted.hearing.ScriptedAsr.open", ears)
    monkeypatch.setattr("pipeline.engines.scripted.face.ScriptedFace.open", no_face)
    from tests.fakes.caller import Caller

    caller = Caller()
    refusal = await worker.offer("s1", await caller.offer())
    assert refusal["code"] == "engine_failed" and closed == ["ears"]
    await caller.close()
