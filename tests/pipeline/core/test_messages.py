"""Typed messages that are sent again: known by their id, not said a second time."""

import asyncio

import pytest

from tests.fakes.call import a_call
from tests.fakes.clock import settle
from tests.pipeline.core.test_session import running


async def test_a_message_that_is_sent_again_is_not_said_again() -> None:
    call = await a_call(in_writing=True)
    async with running(call):
        first = asyncio.create_task(call.session.chat("Are you open?", "m1"))
        await settle()
        again = asyncio.create_task(call.session.chat("Are you open?", "m1"))
        while not (first.done() and again.done()):
            await call.clock.advance(0.05)
        assert first.result() == again.result()
        assert await call.session.chat("Are you open?", "m1") == first.result()
        other = asyncio.create_task(call.session.chat("Are you open?", "m2"))
        while not other.done():
            await call.clock.advance(0.05)
        assert other.result()[0] != first.result()[0]
    told = call.journal.turns("told")
    assert [turn.message_id for turn in told if turn.origin == "chat"] == ["m1", "m2"]


async def test_only_the_latest_messages_are_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.core.session.MESSAGES_KNOWN", 2)
    call = await a_call(in_writing=True)
    async with running(call):
        for name in ("m1", "m2", "m3"):
            saying = asyncio.create_task(call.session.chat("Are you open?", name))
            while not saying.done():
                await call.clock.advance(0.05)
        assert list(call.session._answering) == ["m2", "m3"]
