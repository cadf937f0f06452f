"""The sound route, end to end on real input: a visitor in Chromium talks with a tenant's assistant, interrupts it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.routes.visitors import Visitor, a_visitor, script
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

HEARD_IT_ALL = 11.0
"""Seconds of silence that let a greeting end."""
QUESTION = "What are your opening hours on Saturday?"
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


async def asks_and_interrupts(stack: Stack, tenant: str, first_words: str, fact: str, folder: Path, voice: str) -> None:
    microphone = script(
        folder / f"{tenant}.wav", HEARD_IT_ALL, QUESTION, 4.8, "Okay, thank you very much.", voice=voice
    )
    async with a_visitor(stack.page(tenant), microphone) as visitor:
        await visitor.talk()
        await visitor.sees(r"hours.*saturday")
        await visitor.sees(first_words)
        assert await visitor.energy(0.4) > 1e-4, "the reply is not heard"
        await visitor.sees(fact)
        await silence(visitor)
        spoken = [t for t in await turns_of(stack, tenant, visitor.session_id, 2) if t["origin"] == "voice"]
    first = spoken[0]
    assert "saturday" in first["visitor_text"].lower() and "hours" in first["visitor_text"].lower()
    assert set(first["timings"]) >= LATENCIES
    assert first["passages"], "the reply rests on knowledge, and says on which"
    assert first["interrupted"] and first["cancel_reason"] == "USER_BARGE_IN"
    assert "saturday" in first["reply_text"].lower()
    assert not first["reply_text"].endswith("."), f"the record is not cut to what was heard: {first['reply_text']}"


async def silence(visitor: Visitor) -> None:
    """The visitor speaks over the reply: within moments nothing more comes."""
    for _ in range(60):
        if await visitor.energy(0.2) < 1e-7:
            return
    raise AssertionError("the reply was not interrupted")


async def test_embedded(embedded_stack: Stack, tmp_path: Path) -> None:
    await asks_and_interrupts(embedded_stack, "riverside-vet", r"open on", r"nine in the", tmp_path, "slt")


async def test_distributed_with_two_tenants_at_once(distributed_stack: Stack, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(
            asks_and_interrupts(distributed_stack, "riverside-vet", r"open on", r"nine in the", tmp_path, "slt")
        )
        group.create_task(
            asks_and_interrupts(
                distributed_stack, "harbor-law", r"assistant\non saturdays", r"saturdays.*appointment", tmp_path, "rms"
            )
        )
    workers = {p.name for p in distributed_stack.workers}
    assert len(workers) == 2


async def test_typing_works_without_a_microphone(embedded_stack: Stack, tmp_path: Path) -> None:
    async with a_visitor(embedded_stack.page("harbor-law"), script(tmp_path / "silent.wav")) as visitor:
        await visitor.page.get_by_label("Type a message").fill("Are you open on Saturdays?")
        await visitor.page.get_by_role("button", name="Send").click()
        await visitor.sees(r"saturday.*\n?.*saturday")
        turns = await turns_of(embedded_stack, "harbor-law", visitor.session_id, 1)
    assert turns[0]["origin"] == "chat"
