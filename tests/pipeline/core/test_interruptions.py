"""Somebody speaks while we do: silence at once, then a decision. On a fake clock."""

import pytest

from tests.fakes.call import FakeCall, a_call
from tests.fakes.machine import SPEECH
from tests.pipeline.core.test_session import QUESTION, ask, running

LONG = "We are open on Saturdays from nine until two, and on all other days from eight until six. Thank you for asking."


def control(call: FakeCall, kind: str) -> list[dict[str, object]]:
    assert call.line is not None
    return [m for m in call.line.told if m.get("type") == kind]


async def speaking(*lines: str, **spec: object) -> FakeCall:
    """A call whose agent has just begun a long reply; `lines`: what the visitor says after the question."""
    call = await a_call([QUESTION, *lines], **spec)
    call.language.reply_text = LONG
    return call


async def hear_reply_begin(call: FakeCall, ms: float = 1500) -> None:
    await ask(call)
    await call.hush(ms)
    assert call.states()[-1] == "SPEAKING"


# Interruption in two steps ------------------------------------------------------------------------------------------


async def test_the_first_window_of_speech_silences_us_and_words_take_the_floor() -> None:
    call = await speaking("wait what about sunday")
    async with running(call):
        await hear_reply_begin(call)
        await call.say(40)
        assert control(call, "hold") and call.line is not None and call.line.speaker.paused == 1
        assert call.events("cancel") == [], "not decided yet"
        await call.say(300)
        assert call.events("cancel")[0]["reason"] == "USER_BARGE_IN"
        assert call.line.speaker.flushed == 1
        await call.hush(8000)
    assert call.meter.interruptions == ["cancelled"]
    assert [t.interrupted for t in call.journal.turns()] == [True, False]


async def test_half_a_second_of_speech_takes_the_floor_without_a_word() -> None:
    call = await speaking("")
    async with running(call):
        await hear_reply_begin(call)
        await call.say(440)
        assert call.events("cancel") == []
        await call.say(120)
        assert call.events("cancel")


@pytest.mark.parametrize("word", ["mm-hm", "okay", "yeah right", "uh huh"])
async def test_a_backchannel_does_not_take_the_floor_and_nothing_of_the_reply_is_lost(word: str) -> None:
    call = await speaking(word)
    async with running(call):
        await hear_reply_begin(call)
        await call.say(320)
        await call.hush(12_000)
    (told,) = call.journal.turns()
    assert told.reply_text == LONG and not told.interrupted
    assert "barge_in_ms" not in told.timings
    assert call.meter.interruptions == ["backchannel"]
    assert len(control(call, "hold")) == len(control(call, "resume")) == 1


async def test_a_click_holds_the_reply_for_an_instant() -> None:
    call = await speaking()
    async with running(call):
        await hear_reply_begin(call)
        await call.say(40)
        await call.hush(100)
        assert control(call, "resume") and call.meter.interruptions == ["noise"]
        await call.hush(12_000)
    assert call.journal.turns()[0].reply_text == LONG


async def test_the_face_moves_on_after_a_hold() -> None:
    call = await speaking()
    async with running(call):
        await hear_reply_begin(call)
        before = len(call.face.added)
        await call.say(40)
        await call.hush(80)
        assert call.face.flushes
        assert len(call.face.added) > before
        await call.hush(12_000)


async def test_a_noise_while_we_think_keeps_the_reply_behind_its_gate_until_it_is_over() -> None:
    call = await a_call([QUESTION, "okay"])
    call.language.delay_s = 0.75
    async with running(call):
        await call.say(1000)
        await call.hush(760)
        assert call.states()[-1] == "THINKING"
        await call.say(320)
        assert call.line is not None and call.line.speaker.sounded == []
        await call.hush(6000)
    (told,) = call.journal.turns()
    assert told.visitor_text == QUESTION and told.reply_text == call.language.reply_text


async def test_our_own_echo_does_not_interrupt() -> None:
    call = await speaking()
    async with running(call):
        await hear_reply_begin(call)
        assert call.line is not None
        call.line.speaker.echo = SPEECH
        await call.say(1500)
        await call.hush(9000)
        assert call.line.speaker.paused == 0
    assert set(call.meter.interruptions) == {"echo"}
    assert [t.reply_text for t in call.journal.turns()] == [LONG]


async def test_somebody_who_speaks_over_the_echo_is_heard() -> None:
    call = await speaking("hello there")
    async with running(call):
        await hear_reply_begin(call)
        assert call.line is not None
        call.line.speaker.echo = SPEECH
        await call.say(500)
        call.line.speaker.echo = b""
        await call.say(600)
        assert call.events("cancel")
        await call.hush(5000)


# Words that are commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["stop", "cancel", "hold on", "please stop"])
async def test_a_command_stops_the_reply_and_needs_no_answer(word: str) -> None:
    call = await speaking(word)
    async with running(call):
        await hear_reply_begin(call)
        await call.say(600)
        await call.hush(5000)
    first, second = call.journal.turns()
    assert first.interrupted and second.visitor_text == word and second.reply_text == ""
    assert len(call.language.requests) == 1
    assert call.states()[-1] == "LISTENING"


async def test_a_command_with_nothing_to_stop_is_acknowledged() -> None:
    call = await a_call(["hold on"])
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].reply_text == "Take your time."
    assert call.language.requests == []
