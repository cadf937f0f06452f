"""Whatever a visitor does, in whatever order: never stuck, never two replies, nothing after a CANCEL, and the record is
what was heard."""

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.spec import TurnSettings
from pipeline.core.interrupting import acknowledgement
from tests.fakes.call import FakeCall, a_call
from tests.pipeline.core.test_session import running

REPLY = "We are open on Saturdays from nine until two. On other days we are here until six."
LINES = st.sampled_from(["when are you open", "okay", "mm-hm", "stop", "hold on", "", "and on sunday please"])
ACTION = st.one_of(
    st.tuples(st.just("say"), st.sampled_from([20, 40, 100, 200, 400, 640, 1200])),
    st.tuples(st.just("hush"), st.sampled_from([20, 60, 200, 300, 480, 720, 1000, 3000])),
    st.tuples(st.just("type"), st.just(0)),
    st.tuples(st.just("stop"), st.just(0)),
    st.tuples(st.just("slow"), st.sampled_from([0, 40, 300, 900])),
    st.tuples(st.just("deaf"), st.sampled_from([0, 40, 300, 1500])),
    st.tuples(st.just("mute"), st.sampled_from([0, 3, 1000])),
)


async def act(call: FakeCall, name: str, value: int) -> None:
    assert call.line is not None
    match name:
        case "say":
            await call.say(value)
        case "hush":
            await call.hush(value)
        case "type":
            call.line.on_control({"type": "chat", "text": "typed words"})
            await call.hush(20)
        case "stop":
            call.line.on_control({"type": "stop"})
        case "slow":
            call.language.delay_s = value / 1000
        case "deaf":
            call.asr.opened[0]._delay_s = value / 1000
        case "mute":
            call.voice.fails_after = value


def nothing_sounds_after_a_cut(journal: list[tuple[str, int]]) -> bool:
    """Between a flush and the next `begin` nothing is played, and no reply is begun while another one is."""
    open_reply = None
    for event, reply in journal:
        if event == "begin":
            open_reply = reply
        elif event == "flush":
            open_reply = None
        elif reply != open_reply:
            return False
    return True


@pytest.mark.parametrize("patience", ["calm", "brisk"])
@given(st.lists(LINES, max_size=8), st.lists(ACTION, max_size=14))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_conversation_survives_anything(
    caplog: pytest.LogCaptureFixture, patience: str, lines: list[str], actions: list[tuple[str, int]]
) -> None:
    caplog.clear()
    call = await a_call(lines, turns=TurnSettings(patience=patience))
    call.language.reply_text = REPLY
    assert call.line is not None
    async with running(call):
        for name, value in actions:
            await act(call, name, value)
        call.language.delay_s, call.asr.opened[0]._delay_s, call.voice.fails_after = 0.02, 0.02, 10**9
        await call.hush(14_000)
        assert call.states()[-1] == "LISTENING", "stuck"
        assert not call.session._parts.floor.held
        assert call.session.at_turn_boundary
    assert nothing_sounds_after_a_cut(call.line.speaker.log)
    illegal = [r for r in caplog.records if "illegal transition" in r.getMessage() and r.levelno >= logging.ERROR]
    assert not illegal
    records_are_what_was_heard(call)


def records_are_what_was_heard(call: FakeCall) -> None:
    told = call.journal.turns()
    assert len({t.number for t in told}) == len(told), "a turn is finished once"
    for turn in told:
        whole = _whole_reply(turn)
        assert whole.startswith(turn.reply_text)
        if not turn.interrupted and turn.visitor_text and whole == REPLY:
            assert turn.reply_text in ("", REPLY)
    assert {t.number for t in call.journal.turns("said")} <= {t.number for t in told}, (
        "what was said is answered or cut"
    )
    seqs = [e["seq"] for e in call.publisher.events]
    assert seqs == sorted(set(seqs))


def _whole_reply(turn: Any) -> str:
    if turn.origin == "nudge":
        return str(turn.reply_text)
    if not turn.visitor_text:
        return "I didn't catch that. Could you say it again?"
    return acknowledgement(turn.visitor_text) or REPLY
