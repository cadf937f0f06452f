"""A host when something in it fails."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from pipeline.contracts.wire import Chat
from pipeline.engines.scripted.face import ScriptedFaceTrack
from pipeline.worker import metrics
from pipeline.worker.host import Host
from pipeline.worker.settings import WorkerSettings
from tests.pipeline.worker.conftest import SCRIPTED, Worker, a_worker, tone
from tests.pipeline.worker.test_host import events


async def chat(worker: Worker, session_id: str, mailbox: str) -> str:
    reply_to = await worker.layer.new_channel()
    await worker.layer.send(mailbox, Chat(session_id, "hello", reply_to).to_wire())
    async with asyncio.timeout(5):
        return str((await worker.layer.receive(reply_to))["type"])


async def test_one_failing_session_hurts_no_other_and_is_counted(worker: Worker) -> None:
    answers = [await worker.offer(session_id, "") for session_id in ("s1", "s2")]
    failed = metrics.ERRORS.labels("session")._value.get()

    async def fail() -> None:
        raise ValueError("a bug")

    worker.host.sessions["s1"]._tasks.spawn("bug", fail())
    async with asyncio.timeout(5):
        while "s1" in worker.host.sessions:
            await asyncio.sleep(0.01)
    assert await chat(worker, "s2", answers[1]["mailbox"]) == "chat_reply"
    assert metrics.ERRORS.labels("session")._value.get() == failed + 1


async def test_a_broken_face_is_counted_and_the_caller_is_answered(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, *args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ScriptedFaceTrack, "pose", broken)
    before = metrics.ERRORS.labels("face")._value.get()
    caller, _ = await worker.call("s1")
    await caller.say(tone(0.8))
    await caller.until(lambda: events(caller, "turn.done"))
    assert caller.loud() and not events(caller, "turn.done")[0]["interrupted"]
    assert metrics.ERRORS.labels("face")._value.get() == before + 1
    await caller.close()


async def test_a_worker_whose_own_parts_fail_drains_and_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*args: Any) -> None:
        raise MemoryError("nothing left")

    monkeypatch.setattr("pipeline.worker.publisher.LayerPublisher.run", fails)
    host = Host(WorkerSettings(spool_dir=tmp_path, engines=SCRIPTED), InMemoryChannelLayer(), lambda records: None)
    with pytest.raises(MemoryError):
        await host.run()
    assert list(tmp_path.iterdir()) == []


async def test_a_worker_that_cannot_start_leaves_no_spool(tmp_path: Path) -> None:
    engines = {**SCRIPTED, "llm": ("openai", {"base_url": "http://127.0.0.1:9/v1"})}
    host = Host(WorkerSettings(spool_dir=tmp_path, engines=engines), InMemoryChannelLayer(), lambda records: None)
    with pytest.raises(Exception, match="cannot be reached"):
        await host.run()
    assert list(tmp_path.iterdir()) == []


async def test_a_draining_worker_is_not_ready(tmp_path: Path) -> None:
    async with a_worker(tmp_path, drain_deadline_s=5.0) as worker:
        caller, _ = await worker.call("s1")
        worker.host.drain()
        await caller.until(lambda: [m for m in caller.controls if m.get("type") == "moved"])
        assert not worker.host.ready.is_set()
        await caller.close()


async def test_the_end_of_a_worker_leaves_no_call_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when sessions do not go by themselves: the host cancels them, again and again."""
    monkeypatch.setattr("pipeline.worker.host.Host._let_sessions_go", lambda self: asyncio.sleep(0))
    monkeypatch.setattr("pipeline.worker.ending.ASK_AGAIN_S", 0.01)
    async with a_worker(tmp_path) as worker:
        caller, _ = await worker.call("s1")
        line = worker.host.sessions["s1"].line
        assert line is not None
    assert await line.closed()
    assert worker.ends() == ["failed"]
    await caller.close()
