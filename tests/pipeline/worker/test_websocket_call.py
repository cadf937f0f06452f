"""Whole calls over the audio door: the session behind it does not know that there is no WebRTC."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.worker import audio_door
from tests.fakes.wire_caller import WireCaller
from tests.pipeline.worker.conftest import Worker, a_worker


def tone(seconds: float) -> bytes:
    """Loud enough for the scripted VAD to take for speech; 16 kHz mono."""
    t = np.arange(int(16_000 * seconds)) / 16_000
    return bytes((8000 * np.sin(2 * np.pi * 220 * t)).astype(np.int16).tobytes())


def noise(seconds: float) -> bytes:
    """Loud, and nothing like the scripted voice, which is a tone: no echo of it."""
    drawn = np.random.default_rng(7).integers(-9000, 9000, int(16_000 * seconds))
    return bytes(drawn.astype(np.int16).tobytes())


async def called(worker: Worker, session_id: str = "s1", leg: int = 1) -> WireCaller:
    return await WireCaller().connect(await worker.offer(session_id, "", leg, transport="websocket"))


def controls(caller: WireCaller, kind: str) -> list[dict[str, Any]]:
    return [message for message in caller.controls if message.get("type") == kind]


async def test_a_caller_is_heard_and_answered(worker: Worker) -> None:
    caller = await called(worker)
    await caller.say(tone(0.8))
    await caller.until(lambda: caller.events("turn.done"))
    assert caller.events("caption.final")[0]["text"] == "what are your hours"
    assert caller.loud()
    assert caller.faces
    (reply,) = controls(caller, "reply")
    spoken = [packet for packet in caller.packets if packet.reply == reply["reply"]]
    assert spoken == caller.packets
    assert [packet.seq for packet in spoken] == list(range(len(spoken)))
    assert abs(spoken[0].t_audio_ms - reply["t_audio_ms"]) < 40, "one clock"
    await caller.close()
    await caller.until(lambda: not worker.host.sessions)
    assert worker.ends() == ["closed"]


async def test_speaking_over_the_reply_holds_it_and_then_stops_it(worker: Worker) -> None:
    caller = await called(worker)
    await caller.say(tone(0.8))
    await caller.until(lambda: controls(caller, "reply"))
    await caller.until(lambda: len(caller.packets) > 100)
    await caller.say(noise(1.2))
    await caller.until(lambda: caller.events("cancel"))
    assert controls(caller, "hold")
    assert controls(caller, "stop")
    await caller.until(lambda: caller.events("turn.done"))
    assert caller.events("turn.done")[0]["interrupted"]
    await caller.close()


async def test_nobody_who_comes_through_the_door_frees_the_seat(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(audio_door, "TICKET_S", 0.1)
    async with a_worker(tmp_path, seats=1, drain_deadline_s=0.1) as worker:
        for session_id in ("s1", "s2"):
            answer = await worker.offer(session_id, "", transport="websocket")
            assert answer["ticket"]
        async with asyncio.timeout(5):
            while worker.ends() != ["failed", "failed"]:
                await asyncio.sleep(0.02)


async def test_a_lost_socket_is_followed_by_the_next_leg(worker: Worker) -> None:
    first = await called(worker)
    first.socket.transport.abort()
    await first.close()
    second = await called(worker, leg=2)
    await second.say(tone(0.8))
    await second.until(lambda: second.events("turn.done"))
    assert worker.ends() == ["moved"]
    assert worker.host.sessions["s1"].leg == 2
    await second.close()


async def test_a_hangup_is_told_before_the_goodbye(worker: Worker) -> None:
    caller = await called(worker)
    await caller.send({"type": "hangup"})
    await caller.until(lambda: caller.socket.close_code is not None)
    assert caller.events("ended")[0]["reason"] == "hangup"
    assert caller.socket.close_code == 1000
    await caller.close()


async def test_a_worker_that_goes_down_asks_the_page_to_move(tmp_path: Path) -> None:
    async with a_worker(tmp_path, drain_deadline_s=5.0) as worker:
        caller = await called(worker)
        worker.host.drain()
        await caller.until(lambda: controls(caller, "moved"))
        await caller.close()


async def test_a_transport_that_nobody_knows_is_refused(worker: Worker) -> None:
    refusal = await worker.offer("s1", "", transport="pigeon")
    assert (refusal["type"], refusal["code"]) == ("refusal", "bad_offer")
