"""Speech over a reply in less simple ways: echo that lasts, answers that come early, words that come late."""

import asyncio

import pytest

from pipeline.core.drawer import behind
from pipeline.core.interrupting import Verdict, verdict
from tests.fakes.call import FakeCall, a_call
from tests.fakes.clock import settle
from tests.fakes.machine import SPEECH
from tests.pipeline.core.test_interruptions import LONG, control, hear_reply_begin, speaking
from tests.pipeline.core.test_session import QUESTION, ask, running

OTHER = b"\x30\x10" * 320
"""Somebody else's voice."""


async def test_an_echo_that_lasts_as_long_as_the_reply_becomes_no_turn() -> None:
    call = await speaking("we are open on saturdays")
    async with running(call):
        await hear_reply_begin(call)
        assert call.line is not None
        call.line.speaker.echo = SPEECH
        await call.say(6000)
        call.line.speaker.echo = b""
        await call.hush(8000)
    assert [t.reply_text for t in call.journal.turns()] == [LONG]
    assert call.meter.interruptions == ["echo"], "told once, not with every window"
    assert len(call.language.requests) == 1


async def test_who_speaks_over_the_echo_is_judged_by_what_they_say_themselves() -> None:
    call = await speaking("what about sunday")
    async with running(call):
        await hear_reply_begin(call)
        assert call.line is not None
        call.line.speaker.echo = SPEECH
        await call.say(1000)
        call.line.speaker.echo = b"\x77" * 64
        await call.say(100, OTHER)
        assert control(call, "hold"), "silent"
        assert call.events("cancel") == [], "the echo's second of speech is not theirs"
        await call.say(600, OTHER)
        assert call.events("cancel")
        await call.hush(8000)
    assert call.asr.opened[0].discarded >= 1, "the recogniser was told to forget our words"


@pytest.mark.parametrize(("asked", "expected"), [(True, Verdict.TAKEN), (False, Verdict.KEPT)])
def test_yes_is_an_answer_where_a_question_is_about_to_end(asked: bool, expected: Verdict) -> None:
    assert verdict("yes", 200, over=True, asked=asked) is expected
    assert verdict("mm-hm", 200, over=True, asked=asked) is Verdict.KEPT


async def test_an_answer_to_the_end_of_our_question_is_heard() -> None:
    call = await speaking("yes")
    call.language.reply_text = "We have a place on Monday. Would you like to book it?"
    async with running(call):
        await ask(call)
        while not any(str(e["text"]).endswith("to book") for e in call.events("agent.text")):
            await call.hush(20)
        call.language.reply_text = "It is booked."
        await call.say(300)
        await call.hush(6000)
    assert [t.visitor_text for t in call.journal.turns()] == [QUESTION, "yes"]
    assert call.journal.turns()[1].reply_text == "It is booked."


async def test_words_that_come_late_forget_no_speech_that_has_begun_meanwhile() -> None:
    call = await speaking("okay", "what about sunday")
    async with running(call):
        await hear_reply_begin(call)
        call.asr.opened[0]._delay_s = 0.9
        await call.say(320)
        await call.hush(760)
        await call.say(900)
        call.asr.opened[0]._delay_s = 0.02
        await call.hush(9000)
    assert "what about sunday" in [t.visitor_text for t in call.journal.turns()]


async def test_typing_while_words_are_pending_is_answered() -> None:
    call = await speaking("okay")
    async with running(call):
        await hear_reply_begin(call)
        call.asr.opened[0]._delay_s = 0.9
        await call.say(320)
        await call.hush(760)
        assert call.line is not None
        call.line.on_control({"type": "chat", "text": "and on sunday?"})
        await call.hush(9000)
    assert [(t.origin, t.interrupted) for t in call.journal.turns()][-1] == ("chat", False)


async def ended_by_hanging_up(call: FakeCall, task: "asyncio.Task[str]") -> None:
    call.session.hang_up("hangup")
    while not task.done():
        await call.clock.advance(0.05)


async def test_what_is_being_said_when_the_visitor_hangs_up_is_kept() -> None:
    call = await a_call(["thank you goodbye"])
    task = asyncio.create_task(call.session.run())
    await settle()
    await call.say(800)
    await ended_by_hanging_up(call, task)
    assert [(t.visitor_text, t.reply_text) for t in call.journal.turns()] == [("thank you goodbye", "")]


async def test_a_turn_whose_reply_was_taken_back_is_kept_when_the_rest_of_it_never_comes() -> None:
    call = await a_call(["what are your hours", "on saturday"])
    call.language.reply_text = LONG
    task = asyncio.create_task(call.session.run())
    await settle()
    await ask(call)
    await call.hush(300)
    await call.say(600)
    assert call.events("cancel")
    await ended_by_hanging_up(call, task)
    (told,) = call.journal.turns()
    assert told.visitor_text.startswith("what are your hours") and LONG.startswith(told.fragment)


async def test_a_draft_that_is_kept_through_a_breath_ends_where_the_visitor_ended() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(640)
        await call.hush(320)
        await call.say(160)
        await call.hush(4000)
    assert call.meter.speculations == ["released"]
    assert call.journal.turns()[0].t_audio_ms == pytest.approx(640 + 320 + 160, abs=40)


async def test_time_that_was_not_ours_is_not_in_the_time_to_first_audio() -> None:
    call = await a_call([QUESTION, "okay"])
    call.language.delay_s = 0.75
    async with running(call):
        await call.say(1000)
        await call.hush(760)
        await call.say(320)
        await call.hush(6000)
    timings = call.journal.turns()[0].timings
    assert timings["ttfa_ms"] < 250
    assert timings["tts_first_audio_ms"] == 0, "the wait behind the gate is not the voice's"


async def test_a_gate_that_shuts_again_at_once_keeps_nobody_spinning() -> None:
    gate, read = asyncio.Event(), []

    async def source():
        for i in range(3):
            yield i

    async def reader() -> None:
        read.extend([item async for item in behind(gate, source(), lambda: None)])

    task = asyncio.create_task(reader())
    await settle()
    gate.set()
    gate.clear()
    await settle(50)
    assert read == [] and not task.done()
    gate.set()
    await task
    assert read == [0, 1, 2]


async def test_one_session_that_fails_in_the_vads_tick_ends_alone() -> None:
    call = await a_call([QUESTION])
    task = asyncio.create_task(call.session.run())
    await settle()

    def broken(pcm: bytes) -> None:
        raise ZeroDivisionError

    call.asr.opened[0].feed = broken  # type: ignore[method-assign]
    for _ in range(20):
        call.line.microphone.push(SPEECH)  # type: ignore[union-attr]
        await call.clock.advance(0.02)
        if task.done():
            break
    while not task.done():
        await call.clock.advance(0.05)
    assert await task == "failed"
