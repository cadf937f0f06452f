"""A whole conversation on fakes and a fake clock: what is said, told, cut and remembered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from pipeline.contracts.dialogue import LegRecord
from pipeline.contracts.errors import EngineError
from tests.fakes.call import FakeCall, a_call
from tests.fakes.clock import settle
from tests.fakes.machine import a_spec

QUESTION = "what are your opening hours on saturday"


@contextlib.asynccontextmanager
async def running(call: FakeCall) -> AsyncIterator["asyncio.Task[str]"]:
    task = asyncio.create_task(call.session.run())
    await settle()
    try:
        yield task
    finally:
        call.session.hang_up("hangup")
        ending = asyncio.ensure_future(asyncio.wait({task}))
        while not ending.done():
            await call.clock.advance(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}, "a session left tasks behind"


async def ask(call: FakeCall) -> None:
    await call.say(1000)
    await call.hush(900)


async def test_a_question_is_heard_answered_and_put_down() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.states()[:4] == ["LISTENING", "THINKING", "SPEAKING", "LISTENING"]
    assert [e["text"] for e in call.events("caption.final")] == [QUESTION]
    said, told = call.journal.turns("said"), call.journal.turns("told")
    assert said[0].visitor_text == told[0].visitor_text == QUESTION
    assert told[0].reply_text == call.language.reply_text
    assert not told[0].interrupted
    assert told[0].passages == (("f1", 0.8),)


async def test_latencies_are_measured_from_the_decision() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    timings = call.journal.turns()[0].timings
    assert timings["endpoint_ms"] == 736
    assert timings["llm_first_token_ms"] == pytest.approx(50, abs=1)
    assert timings["asr_ms"] == timings["ttfa_ms"] == timings["packaging_ms"] == 0, "all was ready behind the gate"
    assert call.meter.prompts[0] > len(QUESTION) // 4, "the prompt's length is told"


async def test_speech_over_the_reply_cuts_sound_record_and_memory_to_what_was_heard() -> None:
    call = await a_call([QUESTION, "thank you"])
    async with running(call):
        await ask(call)
        await call.hush(1000)
        await call.say(300)
        assert call.line is not None
        assert call.line.speaker.flushed == 1
        stops = [m for m in call.line.told if m.get("type") == "stop"]
        assert stops and stops[0]["reply"] == 0
        told = call.journal.turns()[0]
        assert told.interrupted and told.cancel_reason == "USER_BARGE_IN"
        assert told.reply_text
        assert call.language.reply_text.startswith(told.reply_text)
        assert told.reply_text != call.language.reply_text
        await call.hush(4000)
    assert "INTERRUPTED" in call.states()
    cancel = call.events("cancel")[0]
    assert cancel["type"] == "CANCEL" and cancel["reason"] == "USER_BARGE_IN"
    assert call.face.flushes
    second = call.language.requests[1]
    assert [m.content for m in second.messages if m.role == "assistant"] == [told.reply_text]


async def test_a_visitor_who_goes_on_while_we_think_gets_the_floor_back_and_both_parts_are_one_turn() -> None:
    call = await a_call(["what are your hours", "on saturday"])
    call.language.delay_s = 0.9
    async with running(call):
        await ask(call)
        await call.say(500)
        await call.hush(6000)
    (told,) = call.journal.turns()
    assert told.visitor_text == "what are your hours on saturday" == call.language.requests[-1].question
    assert not told.interrupted and told.number == 0 and told.fragment == ""
    assert [e["turn"] for e in call.events("caption.final")] == [0, 0]
    assert call.journal.turns("said")[-1].visitor_text == "what are your hours on saturday"


async def test_words_that_come_after_the_reply_was_taken_back_are_still_in_the_turn() -> None:
    call = await a_call(["what are your hours", "on saturday"])
    call.asr.opened[0]._delay_s = 0.8
    async with running(call):
        await ask(call)
        await call.say(600)
        await call.hush(6000)
    assert [r.visitor_text for r in call.journal.turns()] == ["what are your hours on saturday"]


async def test_a_cough_is_no_turn() -> None:
    call = await a_call([""])
    async with running(call):
        await call.say(200)
        await call.hush(2000)
    assert call.journal.turns() == []
    assert call.states()[-1] == "LISTENING"


async def test_speech_that_was_not_understood_is_answered_in_words() -> None:
    call = await a_call([""])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.journal.turns()[0].reply_text.startswith("I didn't catch that")


async def test_a_failing_recogniser_is_like_not_understanding() -> None:
    call = await a_call([EngineError("asr", "gone")])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.journal.turns()[0].reply_text.startswith("I didn't catch that")


async def test_a_failing_language_engine_is_an_apology() -> None:
    call = await a_call([QUESTION])
    call.language.fails = True
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert call.journal.turns()[0].reply_text.startswith("I'm sorry")


async def test_a_voice_that_fails_midway_ends_the_reply_with_what_was_heard() -> None:
    call = await a_call([QUESTION])
    call.voice.fails_after = 4
    async with running(call):
        await ask(call)
        await call.hush(4000)
    told = call.journal.turns()[0]
    assert told.cancel_reason == "SYSTEM_OVERLOAD"
    assert call.states()[-1] == "LISTENING"


async def test_the_greeting_comes_once_the_page_speaks_and_not_when_a_session_resumes() -> None:
    call = await a_call(greeting="Hello, Riverside Vet Clinic.")
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "beat"})
        await call.hush(3000)
    assert call.journal.turns()[0].origin == "greeting"
    resumed = await a_call(greeting="Hello.", history=[["user", "hi"], ["assistant", "hello"]])
    async with running(resumed):
        assert resumed.line is not None
        resumed.line.on_control({"type": "beat"})
        await resumed.hush(3000)
    assert resumed.journal.turns() == []


async def test_a_typed_message_is_answered_in_voice_and_in_writing() -> None:
    call = await a_call()
    async with running(call):
        chat = asyncio.create_task(call.session.chat("when are you open?"))
        await call.hush(4000)
        turn_id, text = await chat
    assert turn_id == "trn_s1.1.0" == call.journal.turns()[0].turn_id
    assert text == call.language.reply_text
    assert call.journal.turns()[0].origin == "chat"


async def test_a_conversation_in_writing_needs_no_line() -> None:
    call = await a_call(in_writing=True)
    async with running(call):
        chat = asyncio.create_task(call.session.chat("when are you open?"))
        await call.clock.advance(1)
        assert (await chat)[1] == call.language.reply_text
    assert call.journal.turns()[0].reply_text == call.language.reply_text


async def test_typing_over_a_reply_cuts_it_and_starts_the_next() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(300)
        chat = asyncio.create_task(call.session.chat("and on sunday?"))
        await call.hush(4000)
        await chat
    first, second = call.journal.turns()
    assert first.interrupted and not second.interrupted


async def test_the_stop_button_stops() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(300)
        assert call.line is not None
        call.line.on_control({"type": "stop"})
        await call.hush(200)
    assert call.journal.turns()[0].cancel_reason == "USER_STOP"


async def test_captions_of_the_reply_follow_its_sound() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    texts = [e["text"] for e in call.events("agent.text")]
    assert len(texts) > 3
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))


async def test_every_event_carries_session_turn_and_audio_time() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    seqs = [e["seq"] for e in call.publisher.events]
    assert seqs == sorted(set(seqs))
    assert all(e["session_id"] == "s1" and "turn" in e and e["t_audio_ms"] >= 0 for e in call.publisher.events)


@pytest.mark.parametrize(("silent_s", "reason"), [(16.0, "vanished"), (301.0, "idle")])
async def test_a_visitor_who_is_gone_frees_the_seat(silent_s: float, reason: str) -> None:
    call = await a_call()
    task = asyncio.create_task(call.session.run())
    await settle()
    assert call.line is not None
    for _ in range(int(silent_s)):
        if reason == "idle":
            call.line.last_heard = call.clock.now()
        await call.clock.advance(1.0)
    await settle()
    assert await task == reason
    assert call.line.is_closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_broken_line_ends_the_leg_and_the_reply_is_put_down_as_heard() -> None:
    call = await a_call([QUESTION])
    task = asyncio.create_task(call.session.run())
    await settle()
    await ask(call)
    await call.hush(600)
    assert call.line is not None
    call.line.break_off("failed")
    await call.clock.advance(0.1)
    assert await task == "failed"
    assert call.journal.turns()[0].interrupted
    last = call.journal.records[-1]
    assert isinstance(last, LegRecord) and last.kind == "ended" and last.reason == "failed"
    assert call.asr.opened[0].is_closed


async def test_a_new_version_answers_from_the_next_turn_on() -> None:
    call = await a_call([QUESTION, QUESTION])
    async with running(call):
        await ask(call)
        call.session.swap(a_spec(persona="You are somebody else."))
        await call.hush(4000)
        await ask(call)
        await call.hush(4000)
    first, second = call.journal.turns()
    assert first.version != second.version
    assert call.language.requests[1].messages[0].content.startswith("You are somebody else.")
    assert len(call.asr.opened) == 2 and call.asr.opened[0].is_closed


async def test_the_first_turns_are_warm_up() -> None:
    call = await a_call([QUESTION] * 6)
    async with running(call):
        for _ in range(6):
            await ask(call)
            await call.hush(4000)
    assert [r.warmup for r in call.journal.turns()] == [True, True, True, False, False, False]
