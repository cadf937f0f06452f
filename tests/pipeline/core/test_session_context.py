"""Context and session control signals in whole sessions, spoken and written."""

import asyncio
import json

from pipeline.contracts.numbers import CONTEXT_TOKENS, MAX_REPLY_TOKENS
from pipeline.core.conversation import STATE_HEAD
from pipeline.core.scos import Signals
from pipeline.core.thinking import CONTEXT_FULL, ONE_MOMENT
from pipeline.core.tokens import PROMPT_TOKENS, estimated_message_tokens
from tests.fakes.call import a_call
from tests.fakes.clock import settle
from tests.fakes.talk import LONG, REPLY
from tests.pipeline.core.test_session import ask, running

QUESTION = "what are your opening hours on saturday"
HISTORY = [["user", LONG], ["assistant", REPLY]] * 60


async def test_a_resumed_session_has_rolled_over_before_the_visitor_is_done_speaking() -> None:
    call = await a_call([QUESTION], history=HISTORY)
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.journal.turns()[0].reply_text == call.language.reply_text
    (prompt,) = {request.messages for request in call.language.requests}
    assert prompt[1].content.startswith(STATE_HEAD)
    assert prompt[-1].content == QUESTION
    assert PROMPT_TOKENS + estimated_message_tokens(prompt) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS


async def test_a_refused_turn_is_told_aloud_and_in_an_event_with_its_code() -> None:
    call = await a_call([QUESTION], history=HISTORY)
    call.language.summary_fails = True
    async with running(call):
        await ask(call)
        await call.hush(9000)
    told = call.journal.turns()[0].reply_text
    assert told.endswith(CONTEXT_FULL)
    (error,) = call.events("error")
    assert (error["code"], error["text"], error["fatal"]) == ("context_full", CONTEXT_FULL, False)
    assert error["turn"] == call.journal.turns()[0].number
    assert call.language.requests == []
    assert "context" in call.meter.failures


async def test_a_reply_that_waits_for_a_rollover_is_heard_in_time_and_its_turn_is_not_reset() -> None:
    call = await a_call([QUESTION], history=HISTORY)
    call.language.summary_delay_s = 2.0
    async with running(call):
        await ask(call)
        await call.hush(9000)
    (turn,) = call.journal.turns()
    assert turn.reply_text == f"{ONE_MOMENT} {call.language.reply_text}"
    assert call.meter.timeouts == 0
    assert [message.content for message in call.language.requests[-1].messages][-1] == QUESTION


async def test_in_writing_a_refusal_is_the_answer() -> None:
    call = await a_call(in_writing=True, history=HISTORY)
    call.language.summary_fails = True
    async with running(call):
        await settle()
        chat = asyncio.create_task(call.session.chat("And now?"))
        await call.clock.advance(6.0)
        _, reply = await chat
    assert reply.endswith(CONTEXT_FULL)
    assert [error["code"] for error in call.events("error")] == ["context_full"]


async def test_interruptions_make_the_next_reply_shorter_and_nobody_is_told() -> None:
    call = await a_call([QUESTION] * 12)
    async with running(call):
        for _ in range(5):
            await ask(call)
            await call.hush(800)  # we are speaking
            await call.say(1000)
            await call.hush(2000)
        await call.hush(4000)
    assert call.meter.interruptions.count("cancelled") >= 3
    styles = [request.style for request in call.language.requests]
    assert styles[0] == ""
    assert "short" in styles[-1]
    left = json.dumps([call.publisher.events, call.line.told, [r.to_wire() for r in call.journal.records]])
    for name in (*Signals.__dataclass_fields__, "scos", "signals", *filter(None, styles)):
        assert name not in left
