"""What goes wrong around a conversation, and what the visitor notices of it: as little as can be."""

import asyncio
from typing import Any

import pytest

from pipeline.contracts.dialogue import CancelReason, LegRecord
from pipeline.contracts.errors import EngineError, StreamEnded
from tests.fakes.call import FakeCall, a_call
from tests.fakes.clock import settle
from tests.pipeline.core.test_session import QUESTION, ask, running


async def test_what_a_cut_turn_leaves_behind_carries_its_own_number() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(300)
        chat = asyncio.create_task(call.session.chat("and on sunday?"))
        await call.hush(4000)
        await chat
    cancel, interrupted = call.events("cancel")[0], call.events("state")[3]
    assert cancel["turn"] == cancel["reply"] == 0
    assert interrupted["state"] == "INTERRUPTED" and interrupted["turn"] == 0
    assert interrupted["reason"] == "USER_BARGE_IN"
    assert [(e["turn"], e["reply"]) for e in call.events("turn.done")] == [(0, 0), (1, 1)]


async def test_the_cancel_message_is_the_contracts() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(1000)
        await call.say(600)
        assert call.line is not None
        cancel = call.events("cancel")[0]
        assert {k: cancel[k] for k in ("session_id", "type", "reason")} == {
            "session_id": "s1", "type": "CANCEL", "reason": "USER_BARGE_IN",
        }  # fmt: skip
        held = next(m for m in call.line.told if m.get("type") == "hold")
        assert cancel["t_event_ms"] == held["t_audio_ms"] < cancel["t_audio_ms"], "since the first window of speech"


async def test_captions_stand_where_the_visitors_words_sounded_and_in_the_turn_they_belong_to() -> None:
    call = await a_call([QUESTION, QUESTION])
    async with running(call):
        await call.say(1000)
        await call.hush(900)
        await call.hush(4000)
        await ask(call)
        await call.hush(4000)
    final = call.events("caption.final")
    assert [f["turn"] for f in final] == [0, 1]
    assert {p["turn"] for p in call.events("caption.partial")} == {0, 1}
    assert final[0]["t_audio_ms"] == pytest.approx(1000, abs=40)
    assert call.journal.turns()[0].t_audio_ms == final[0]["t_audio_ms"]


async def test_words_that_come_late_belong_to_the_turn_that_was_stopped_and_keep_its_reason() -> None:
    call = await a_call([QUESTION])
    call.asr.opened[0]._delay_s = 0.5
    async with running(call):
        await ask(call)
        assert call.line is not None
        call.line.on_control({"type": "stop"})
        await call.hush(1000)
    told = call.journal.turns()[0]
    assert told.visitor_text == QUESTION
    assert told.cancel_reason == CancelReason.USER_STOP


async def test_only_an_interruption_of_sound_by_speech_is_a_barge_in() -> None:
    call = await a_call([QUESTION, QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(300)
        assert call.line is not None
        call.line.on_control({"type": "stop"})
        await ask(call)
        await call.hush(300)
        await call.say(200)
    stopped, interrupted = call.journal.turns()[:2]
    assert "barge_in_ms" not in stopped.timings
    assert "barge_in_ms" in interrupted.timings


async def test_in_writing_there_is_no_first_audio() -> None:
    call = await a_call(in_writing=True)
    async with running(call):
        chat = asyncio.create_task(call.session.chat("when are you open?"))
        await call.clock.advance(1)
        await chat
    assert "ttfa_ms" not in call.journal.turns()[0].timings


async def test_a_typed_question_is_answered_in_writing_before_all_of_the_answer_has_sounded() -> None:
    call = await a_call()
    async with running(call):
        chat = asyncio.create_task(call.session.chat("when are you open?"))
        await call.hush(200)
        assert chat.done() and (await chat)[1] == call.language.reply_text
        assert call.states()[-1] == "SPEAKING"


async def test_a_chat_after_the_end_is_refused_and_waits_for_nothing() -> None:
    call = await a_call()
    async with running(call):
        call.session.hang_up("hangup")
        with pytest.raises(StreamEnded):
            await call.session.chat("are you still there?")


async def test_a_chat_that_comes_before_the_session_runs_waits_for_it() -> None:
    call = await a_call(in_writing=True)
    chat = asyncio.create_task(call.session.chat("hello?"))
    await settle()
    async with running(call):
        await call.clock.advance(1)
        assert (await chat)[1] == call.language.reply_text


async def test_half_a_character_is_no_reason_to_lose_a_turn() -> None:
    call = await a_call(in_writing=True)
    async with running(call):
        chat = asyncio.create_task(call.session.chat("hello \ud83d"))
        await call.clock.advance(1)
        await chat
    assert call.journal.turns()[0].visitor_text == "hello ?"


async def test_a_page_that_types_without_end_is_slowed_down() -> None:
    call = await a_call()
    async with running(call):
        assert call.line is not None
        for i in range(40):
            call.line.on_control({"type": "chat", "text": f"question {i}"})
        await call.hush(4000)
    assert len(call.journal.turns()) == 30
    assert {n["code"] for n in call.events("notice")} == {"too_many"}


@pytest.mark.parametrize("failure", [EngineError("asr", "gone"), RuntimeError("a bug in the engine")])
async def test_whatever_a_recogniser_raises_the_call_goes_on(failure: Exception) -> None:
    call = await a_call([failure, QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(4000)
        await ask(call)
        await call.hush(4000)
    assert [t.reply_text == call.language.reply_text for t in call.journal.turns()] == [False, True]
    assert call.meter.failures == ["asr"]


async def test_utterances_that_follow_quickly_are_made_out_one_after_the_other() -> None:
    call = await a_call(["first", "second"])
    call.asr.opened[0]._delay_s = 3.0
    async with running(call):
        await ask(call)
        await call.hush(1500)
        await ask(call)
        await call.hush(15_000)
    assert call.asr.opened[0].most_at_once == 1
    assert [t.visitor_text for t in call.journal.turns()] == ["first", "second"]


class BrokenFace:
    def pose(self, t_ms: float) -> Any:
        raise ZeroDivisionError

    add = flush = pose


async def test_a_broken_face_never_ends_a_voice() -> None:
    call = await a_call([QUESTION])
    call.session._parts.facing._track = BrokenFace()  # type: ignore[union-attr, assignment]
    async with running(call):
        await ask(call)
        await call.hush(4000)
        assert call.states()[-1] == "LISTENING"
    assert call.journal.turns()[0].reply_text == call.language.reply_text
    assert call.meter.failures == ["face"]


async def test_what_was_said_just_before_the_end_is_in_the_record() -> None:
    call = await a_call([QUESTION])
    task = asyncio.create_task(call.session.run())
    await settle()
    call.asr.opened[0]._delay_s = 0.2
    await ask(call)
    call.session.hang_up("hangup")
    while not task.done():
        await call.clock.advance(0.05)
    assert [t.visitor_text for t in call.journal.turns()] == [QUESTION]
    assert isinstance(call.journal.records[-1], LegRecord)


async def test_a_recogniser_and_a_line_that_do_not_close_keep_no_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.core.tasks.CLOSE_DEADLINE_S", 0.02)
    call = await a_call()
    assert call.line is not None

    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise OSError("the socket is in a bad mood")

    call.line.close, call.asr.opened[0].close = fail, hang  # type: ignore[method-assign]
    async with running(call):
        call.session.hang_up("hangup")


async def test_a_session_that_is_cancelled_ends_in_order() -> None:
    call = await a_call([QUESTION])
    task = asyncio.create_task(call.session.run())
    await settle()
    while not task.done():  # asked again and again, as the host does
        task.cancel()
        await asyncio.sleep(0)
    assert call.line is not None and call.line.is_closed
    assert isinstance(call.journal.records[-1], LegRecord) and call.journal.records[-1].reason == "failed"


async def monologue(call: FakeCall, seconds: int) -> None:
    assert call.line is not None
    for _ in range(seconds):
        await call.say(1000)


async def test_a_visitor_who_speaks_for_long_is_not_idle() -> None:
    call = await a_call([QUESTION], idle_limit_s=3)
    async with running(call) as task:
        await monologue(call, 6)
        assert not task.done()


async def test_who_listened_to_a_long_answer_has_all_the_time_again() -> None:
    call = await a_call(idle_limit_s=3)
    call.language.reply_text = "word " * 25
    async with running(call) as task:
        chat = asyncio.create_task(call.session.chat("tell me all"))
        await call.hush(7000)
        await chat
        assert call.states()[-1] == "LISTENING" and not task.done()


async def test_steady_state_is_counted_over_all_legs_of_a_session() -> None:
    call = await a_call([QUESTION], history=[["user", "a"], ["user", "b"], ["user", "c"]])
    async with running(call):
        await ask(call)
        await call.hush(4000)
    assert [t.warmup for t in call.journal.turns()] == [False]


async def test_a_later_leg_without_a_word_before_it_is_greeted() -> None:
    call = await a_call(greeting="Hello.", leg=2)
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "beat"})
        await call.hush(2000)
    assert [t.origin for t in call.journal.turns()] == ["greeting"]


async def test_the_greeting_can_be_stopped() -> None:
    call = await a_call(greeting="Hello, this is the Riverside Vet Clinic, how can I help you?")
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "beat"})
        await call.hush(600)
        call.line.on_control({"type": "stop"})
        await call.hush(300)
    assert call.journal.turns()[0].cancel_reason == "USER_STOP"
    assert call.states()[-1] == "LISTENING"
