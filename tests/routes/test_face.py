"""The face's way to a watcher: from phonemes in a worker to a process that knows nothing but a URL and a token."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipeline.contracts.face import INDEX
from tests.routes.phone import Phone
from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(150)]

AT_REST = [name for name in INDEX if name.startswith(("brow", "cheek", "nose"))]


@asynccontextmanager
async def a_watcher(phone: Phone) -> AsyncIterator[list[dict[str, Any]]]:
    """Frames, as another process receives them."""
    key = phone.stack.tenant(phone.tenant)["secret_key"]
    status, pass_ = await asyncio.to_thread(phone.stack.api, "POST", f"/sessions/{phone.id}/subscribers", {}, key)
    assert status == 201, pass_
    command = [sys.executable, "-m", "tests.routes.watcher", pass_["url"], pass_["token"]]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    frames: list[dict[str, Any]] = []
    assert (await process.stdout.readline()) == b"watching\n"

    async def read(out: asyncio.StreamReader) -> None:
        while line := await out.readline():
            frames.append(json.loads(line))

    reading = asyncio.create_task(read(process.stdout))
    try:
        yield frames
    finally:
        process.terminate()
        await process.wait()
        await reading


async def test_a_watcher_sees_the_reply_on_its_own_clock(distributed_stack: Stack) -> None:
    phone = await Phone(distributed_stack, "riverside-vet").dial()
    try:
        await phone.greeted()
        async with a_watcher(phone) as frames:
            await phone.ask()
            await asyncio.sleep(1.0)
        begun = [m for m in phone.line.controls if m.get("type") == "reply"][-1]["t_audio_ms"]
        over = phone.spoken_turns()[-1]["t_audio_ms"]
    finally:
        await phone.hang_up()
    moving = [f for f in frames if f["blendshapes"].get("jawOpen", 0) > 0.05]
    assert len(moving) > 30, "the mouth moves while the agent speaks"
    assert begun - 200 <= moving[0]["t_audio_ms"] <= begun + 700
    assert over - 1500 <= moving[-1]["t_audio_ms"] <= over + 400
    assert all(not any(f["blendshapes"].get(name) for name in AT_REST) for f in frames)
    numbers = [f["seq"] for f in frames]
    assert numbers == sorted(set(numbers))
    assert {(f["session_id"], f["fps"]) for f in frames} == {(phone.id, 30)}
    resting = [f for f in frames if f["t_audio_ms"] > over + 600]
    assert all(f["blendshapes"].get("jawOpen", 0) < 0.02 for f in resting), "the face comes back to neutral"


async def test_a_barge_in_brings_the_face_to_rest(distributed_stack: Stack) -> None:
    phone = await Phone(distributed_stack, "harbor-law").dial()
    try:
        await phone.greeted()
        asking = asyncio.create_task(phone.ask())
        replies = len([m for m in phone.line.controls if m.get("type") == "reply"])
        await phone.line.until(lambda: len([m for m in phone.line.controls if m.get("type") == "reply"]) > replies, 30)
        await asyncio.sleep(1.0)
        await phone.line.say((b"\x00\x20\x00\xe0" * 240) * 2)
        await phone.ask("Okay, thank you very much.")
        assert (await asking)["interrupted"]
        stop = [m for m in phone.line.controls if m.get("type") == "stop"][0]
        assert stop["heard_ms"] > 0
        cancel = phone.events("cancel")[0]
        assert cancel["type"] == "CANCEL" and cancel["reason"] == "USER_BARGE_IN" and cancel["session_id"] == phone.id
        until_next = [
            f for f in phone.line.faces if cancel["t_event_ms"] + 300 < f["t_audio_ms"] < cancel["t_event_ms"] + 800
        ]
        assert all(f["blendshapes"].get("jawOpen", 0) < 0.05 for f in until_next)
    finally:
        await phone.hang_up()
