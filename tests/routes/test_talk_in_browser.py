"""The sound route, end to end on real input: a visitor in Chromium talks with a tenant's assistant, interrupts it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.routes.visitors import Visitor, a_visitor, script
from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

HEARD_IT_ALL = 11.0
"""Seconds of silence that let a greeting end."""
QUESTION = "What are your opening hours on Saturday?"
DEMO = ROOT / "sessions_app" / "assistants" / "demo"
AUDIBLE = 0.01
LATENCIES = {"endpoint_ms", "asr_ms", "llm_first_token_ms", "tts_first_audio_ms", "ttfa_ms"}


async def turns_of(stack: Stack, tenant: str, session_id: str, count: int) -> list[dict[str, Any]]:
    """The session's finished turns in the database, as soon as there are `count` of them."""
    finished: list[dict[str, Any]] = []
    for _ in range(150):
        finished = [t for t in await asyncio.to_thread(stack.turns, tenant, session_id) if t["finished"]]
        if len(finished) >= count:
            return finished
        await asyncio.sleep(0.2)
    raise AssertionError(f"{len(finished)} finished turns instead of {count}: {finished}")


async def asks_and_interrupts(stack: Stack, tenant: str, folder: Path, voice: str) -> None:
    microphone = script(
        folder / f"{tenant}.wav", HEARD_IT_ALL, QUESTION, 3.9, "Okay, thank you very much.", voice=voice
    )
    async with a_visitor(stack.page(tenant), microphone) as visitor:
        await visitor.talk()
        await visitor.sees(r"hours.*saturday")
        fact = saturday_hours(tenant)
        await visitor.sees("assistant\n" + " ".join(fact.lower().split()[:3]))
        assert await visitor.loudness(0.5) > AUDIBLE, "the reply is not heard"
        await silence(visitor)
        spoken = [t for t in await turns_of(stack, tenant, visitor.session_id, 2) if t["origin"] == "voice"]
    first = spoken[0]
    assert first["interrupted"] and first["cancel_reason"] == "USER_BARGE_IN", spoken
    assert "saturday" in first["visitor_text"].lower() and "hours" in first["visitor_text"].lower()
    assert set(first["timings"]) >= LATENCIES, first["timings"]
    assert first["passages"], "the reply rests on knowledge, and says on which"
    assert fact.startswith(first["reply_text"]), "the reply is the tenant's own fact"
    assert 0 < len(first["reply_text"]) < len(fact), "the record is cut to what was heard"


def saturday_hours(tenant: str) -> str:
    draft = json.loads((DEMO / f"{tenant}.json").read_text())
    return str(next(f["answer"] for f in draft["facts"] if f["id"] == "hours-saturday"))


async def silence(visitor: Visitor) -> None:
    """The visitor speaks over the reply: within moments nothing more is heard."""
    for _ in range(60):
        if await visitor.loudness(0.2) < AUDIBLE / 10:
            return
    raise AssertionError("the reply was not interrupted")


async def test_embedded(embedded_stack: Stack, tmp_path: Path) -> None:
    await asks_and_interrupts(embedded_stack, "riverside-vet", tmp_path, "slt")


async def test_distributed_with_two_tenants_at_once(distributed_stack: Stack, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asks_and_interrupts(distributed_stack, "riverside-vet", tmp_path, "slt"))
        group.create_task(asks_and_interrupts(distributed_stack, "harbor-law", tmp_path, "rms"))
    workers = {p.name for p in distributed_stack.workers}
    assert len(workers) == 2


async def test_typing_works_without_a_microphone(embedded_stack: Stack, tmp_path: Path) -> None:
    async with a_visitor(embedded_stack.page("harbor-law"), script(tmp_path / "silent.wav")) as visitor:
        await visitor.page.get_by_label("Type a message").fill("Are you open on Saturdays?")
        await visitor.page.get_by_role("button", name="Send").click()
        await visitor.sees(r"saturday.*assistant.*saturday")
        turns = await turns_of(embedded_stack, "harbor-law", visitor.session_id, 1)
    assert turns[0]["origin"] == "chat"
