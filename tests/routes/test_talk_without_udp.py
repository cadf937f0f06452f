"""The sound route where the network lets no UDP through: the page finds its way over a websocket by itself."""

from pathlib import Path

import pytest

from tests.routes.test_talk_in_browser import AUDIBLE, HEARD_IT_ALL, QUESTION, saturday_hours, silence, turns_of
from tests.routes.visitors import WITHOUT_UDP, WITHOUT_WEBRTC, a_visitor, script
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

PATH_LIMIT_S = 6.0
"""What the page takes to find out that there is no path; the visitor of these tests begins to speak only after it."""


async def asks_and_interrupts(stack: Stack, tenant: str, folder: Path, voice: str) -> None:
    """As over WebRTC (test_talk_in_browser): the tenant's fact is heard, and is silent when the visitor speaks."""
    microphone = script(
        folder / f"{tenant}.wav", PATH_LIMIT_S + HEARD_IT_ALL, QUESTION, 3.9, "Okay, thank you very much.", voice=voice
    )
    async with a_visitor(stack.page(tenant), microphone, before=WITHOUT_UDP) as visitor:
        await visitor.talk_without_a_path()
        await visitor.sees(r"hours.*saturday")
        fact = saturday_hours(tenant)
        await visitor.sees("assistant\n" + " ".join(fact.lower().split()[:3]))
        assert await visitor.loudness(0.5) > AUDIBLE, "the reply is not heard"
        await silence(visitor)
        spoken = [t for t in await turns_of(stack, tenant, visitor.session_id, 2) if t["origin"] == "voice"]
    first = spoken[0]
    assert first["interrupted"] and first["cancel_reason"] == "USER_BARGE_IN", spoken
    assert "saturday" in first["visitor_text"].lower() and "hours" in first["visitor_text"].lower()
    assert first["leg"] >= 2, "the first leg was the one that found no path"
    assert fact.startswith(first["reply_text"]), "the reply is the tenant's own fact"
    assert 0 < len(first["reply_text"]) < len(fact), "the record is cut to what was heard"


async def test_embedded(embedded_stack: Stack, tmp_path: Path) -> None:
    await asks_and_interrupts(embedded_stack, "riverside-vet", tmp_path, "slt")


async def test_distributed(distributed_stack: Stack, tmp_path: Path) -> None:
    await asks_and_interrupts(distributed_stack, "harbor-law", tmp_path, "rms")


async def test_a_browser_without_webrtc_talks_at_once(embedded_stack: Stack, tmp_path: Path) -> None:
    microphone = script(tmp_path / "asks.wav", HEARD_IT_ALL + 1, QUESTION)
    async with a_visitor(embedded_stack.page("harbor-law"), microphone, before=WITHOUT_WEBRTC) as visitor:
        await visitor.talk_without_a_path()
        await visitor.sees(r"hours.*saturday.*assistant\n.*saturday")
        turns = await turns_of(embedded_stack, "harbor-law", visitor.session_id, 2)
    assert turns[-1]["origin"] == "voice"
