"""Turn taking on a fake clock: speculation, patience, fallbacks. Milliseconds, no engine."""

import pytest

from pipeline.contracts.dialogue import CancelReason
from pipeline.contracts.spec import TurnSettings
from tests.fakes.call import FakeCall, a_call
from tests.pipeline.core.test_interruptions import LONG, control
from tests.pipeline.core.test_session import QUESTION, ask, running

BRISK = TurnSettings(patience="brisk")
MURMUR = b"\x01\x00" * 320

# Speculation --------------------------------------------------------------------------------------------------------


async def test_the_reply_is_ready_when_the_turn_ends() -> None:
    call = await a_call([QUESTION])
    call.language.delay_s = 0.3
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].timings["ttfa_ms"] == 0
    assert call.meter.speculations == ["released"]
    assert [r.speculative for r in call.language.requests] == [True], "it was asked once, and knew it was a draft"


async def test_a_reply_that_is_not_ready_in_time_comes_as_soon_as_it_is() -> None:
    call = await a_call([QUESTION])
    call.language.delay_s = 0.7
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].timings["ttfa_ms"] == pytest.approx(700 + 192 + 50 - 736, abs=21)


async def test_nothing_is_heard_told_or_remembered_of_a_draft_when_the_visitor_goes_on() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(600)
        await call.hush(400)
        assert len(call.language.requests) == 1, "prepared in the pause"
        assert call.line is not None and call.line.speaker.sounded == []
        assert call.journal.records[1:] == [] and call.states() == ["LISTENING"]
        call.asr.lines[0] = QUESTION + " please"
        await call.say(600)
        await call.hush(3000)
    assert call.meter.speculations == ["discarded", "released"]
    assert [t.visitor_text for t in call.journal.turns()] == [QUESTION + " please"]
    last = call.language.requests[-1]
    assert [m.content for m in last.messages if m.role == "user"] == [QUESTION + " please"]


async def test_a_pause_that_brings_no_new_words_keeps_its_draft() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(600)
        await call.hush(300)
        await call.say(120)
        await call.hush(3000)
    assert len(call.language.requests) == 1
    assert call.meter.speculations == ["released"]


async def test_a_draft_whose_voice_failed_is_made_anew() -> None:
    call = await a_call([QUESTION])
    call.voice.fails_after = 0
    async with running(call):
        await call.say(600)
        await call.hush(400)
        call.voice.fails_after = 1000
        await call.hush(3000)
    assert call.journal.turns()[0].reply_text == call.language.reply_text


async def test_typing_throws_a_draft_away() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(600)
        await call.hush(400)
        assert call.line is not None
        call.line.on_control({"type": "chat", "text": "never mind"})
        await call.hush(4000)
    assert call.meter.speculations == ["discarded"]
    assert [t.origin for t in call.journal.turns()] == ["chat"]


# Patience -----------------------------------------------------------------------------------------------------------


async def test_calm_waits_out_a_pause_of_700_ms() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(640)
        await call.hush(700)
        await call.say(640)
        assert call.states() == ["LISTENING"]
        await call.hush(3000)
    assert len(call.journal.turns()) == 1


async def test_brisk_takes_the_turn_sooner_when_the_sentence_sounds_complete() -> None:
    call = await a_call([QUESTION], turns=BRISK)
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].timings["endpoint_ms"] < 400
    assert call.detector.asked[0].text == QUESTION and len(call.detector.asked[0].pcm) > 16_000


async def test_brisk_waits_when_it_does_not() -> None:
    call = await a_call(["I would like to make an"], turns=BRISK)
    call.detector.known["I would like to make an"] = 0.1
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].timings["endpoint_ms"] == 736


async def test_without_a_judge_silence_alone_decides() -> None:
    call = await a_call([QUESTION], turns=BRISK)
    call.detector.fails = True
    async with running(call):
        await ask(call)
        await call.hush(3000)
    assert call.journal.turns()[0].timings["endpoint_ms"] == 736
    assert call.meter.failures == ["turns"]


async def test_a_visitor_cut_off_by_a_brisk_assistant_gets_the_floor_back_and_both_parts_are_one_turn() -> None:
    call = await a_call(["what are your hours", "on saturday"], turns=BRISK)
    call.language.reply_text = LONG
    async with running(call):
        await call.say(960)
        await call.hush(600)
        assert call.states()[-1] == "SPEAKING"
        before = len(control(call, "hold"))
        await call.say(40)
        assert len(control(call, "hold")) == before + 1, "silent again with the first window"
        await call.say(600)
        await call.hush(8000)
    (told,) = call.journal.turns()
    assert told.visitor_text == "what are your hours on saturday"
    assert told.reply_text == LONG and LONG.startswith(told.fragment) and not told.interrupted
    assert call.language.requests[-1].question == "what are your hours on saturday"
    roles = [m.role for m in call.language.requests[-1].messages]
    assert roles == ["system", "user"], "the reply that was taken back is not remembered"


async def answered(patience: TurnSettings) -> FakeCall:
    """A call whose agent has just begun to answer."""
    call = await a_call(["what are your hours", "on saturday"], turns=patience)
    call.language.reply_text = LONG
    return call


async def test_a_brisk_assistant_that_has_just_answered_is_silent_before_it_is_sure_of_speech() -> None:
    call = await answered(BRISK)
    async with running(call):
        await call.say(960)
        await call.hush(500)
        assert call.states()[-1] == "SPEAKING"
        await call.say(60, MURMUR)
        assert len(control(call, "hold")) == 1
        await call.say(600)
        await call.hush(8000)
    (told,) = call.journal.turns()
    assert told.visitor_text == "what are your hours on saturday" and told.reply_text == LONG


async def test_what_only_murmurs_gives_the_reply_back_from_where_it_was_held() -> None:
    call = await answered(BRISK)
    async with running(call):
        await call.say(960)
        await call.hush(500)
        await call.say(60, MURMUR)
        assert (len(control(call, "hold")), len(control(call, "resume"))) == (1, 0)
        await call.hush(300)
        assert (len(control(call, "hold")), len(control(call, "resume"))) == (1, 1)
        await call.say(60, MURMUR)
        await call.hush(8000)
        assert len(control(call, "hold")) == 1, "once a turn"
    (told,) = call.journal.turns()
    assert told.reply_text == LONG and not told.interrupted and call.meter.interruptions == ["noise"]


async def test_a_calm_assistant_does_not_mind_a_murmur() -> None:
    call = await answered(TurnSettings())
    async with running(call):
        await call.say(960)
        await call.hush(860)
        assert call.states()[-1] == "SPEAKING"
        await call.say(60, MURMUR)
        assert not control(call, "hold")
        await call.hush(8000)


# Fallbacks ----------------------------------------------------------------------------------------------------------


async def test_no_sound_within_500_ms_resets_the_turn_with_a_tone_and_no_partial_reply() -> None:
    call = await a_call([QUESTION, "are you there"])
    call.language.delay_s = 3.0
    async with running(call):
        await ask(call)
        await call.hush(400)
        assert call.meter.timeouts == 1 and call.states()[-1] == "LISTENING"
        assert [n["code"] for n in call.events("notice")] == ["turn_timeout"]
        assert call.line is not None and call.line.speaker.sounded == [-1], "a tone"
        told = call.journal.turns()[0]
        assert told.visitor_text == QUESTION and told.reply_text == ""
        assert told.cancel_reason == CancelReason.SYSTEM_OVERLOAD
        call.language.delay_s = 0.05
        await ask(call)
        await call.hush(3000)
    assert call.language.requests[-1].question == f"{QUESTION} are you there", "what was asked is not forgotten"


async def test_a_question_of_ours_that_nobody_answers_brings_a_cue_and_then_one_line() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await ask(call)
        await call.hush(14_000)
        assert [n["code"] for n in call.events("notice")] == ["listening"]
        await call.hush(20_000)
    assert [(t.origin, t.reply_text) for t in call.journal.turns()][1:] == [("nudge", "Are you still there?")]


async def test_an_answer_in_time_brings_no_cue() -> None:
    call = await a_call([QUESTION, "no thank you"])
    call.language.reply_text = "We are open. Anything else?"
    async with running(call):
        await ask(call)
        await call.hush(2200)
        call.language.reply_text = "Goodbye."
        await ask(call)
        await call.hush(15_000)
    assert call.events("notice") == []


# The budget ---------------------------------------------------------------------------------------------------------


async def test_who_takes_more_than_their_share_is_counted_and_told_and_the_turn_goes_on() -> None:
    call = await a_call([QUESTION])
    call.language.delay_s = 0.2
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "quality", "rtt_ms": 30, "buffer_ms": 60, "else": "x"})
        await ask(call)
        await call.hush(3000)
    assert call.meter.costs["llm"] == [pytest.approx(200, abs=1)]
    assert call.meter.costs["network"] == [15] and call.meter.costs["client_buffer"] == [60]
    assert {e["component"] for e in call.events("budget.over")} == {"llm", "client_buffer"}
    assert call.journal.turns()[0].reply_text == call.language.reply_text


@pytest.mark.parametrize("rubbish", [{}, {"rtt_ms": "x"}, {"rtt_ms": -1}, {"rtt_ms": 1e9, "buffer_ms": None}])
async def test_what_a_page_says_of_its_line_is_not_trusted(rubbish: dict[str, object]) -> None:
    call = await a_call([QUESTION])
    async with running(call):
        assert call.line is not None
        call.line.on_control({"type": "quality", **rubbish})
        await ask(call)
        await call.hush(3000)
    assert "network" not in call.meter.costs
