"""The turn machine, exhaustively."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.dialogue import CancelReason, State
from pipeline.contracts.errors import IllegalTransition
from pipeline.core import turn

EVENTS = [
    turn.Connected(), turn.SpeechStarted(), turn.FloorKept(), turn.TurnEnded(), turn.ReplyBegan(), turn.ReplyFinished(),
    turn.Abandoned(), *(turn.Stopped(r) for r in CancelReason),
]  # fmt: skip
ALLOWED = {
    (State.IDLE, State.LISTENING),
    (State.LISTENING, State.THINKING),
    (State.THINKING, State.SPEAKING),
    (State.SPEAKING, State.LISTENING),
    (State.THINKING, State.INTERRUPTED),
    (State.SPEAKING, State.INTERRUPTED),
    (State.INTERRUPTED, State.LISTENING),
}


@given(st.lists(st.sampled_from(EVENTS), max_size=60))
def test_only_the_contracts_transitions_ever_happen(events: list[turn.Event]) -> None:
    state, replying = State.IDLE, False
    for event in events:
        try:
            taken = turn.step(state, event)
        except IllegalTransition:
            continue
        for action in taken.actions:
            if isinstance(action, turn.StartReply):
                assert not replying
                replying = True
            else:
                assert replying
                replying = not isinstance(action, turn.CancelReply)
        for entered in taken.passed:
            assert (state, entered) in ALLOWED
            state = entered
        assert state is not State.INTERRUPTED
        replying = replying and state in (State.THINKING, State.SPEAKING)


@pytest.mark.parametrize("state", [State.THINKING, State.SPEAKING])
def test_speech_over_a_reply_holds_it_and_who_has_the_floor_is_decided_after(state: State) -> None:
    assert turn.step(state, turn.SpeechStarted()) == turn.Step((), (turn.HoldReply(),))
    assert turn.step(state, turn.FloorKept()) == turn.Step((), (turn.ReleaseReply(),))
    taken = turn.step(state, turn.Stopped(CancelReason.USER_BARGE_IN))
    assert taken.passed == (State.INTERRUPTED, State.LISTENING)
    assert taken.actions == (turn.CancelReply(CancelReason.USER_BARGE_IN),)


def test_a_reply_cannot_finish_before_it_began() -> None:
    with pytest.raises(IllegalTransition, match="ReplyFinished is not possible while THINKING"):
        turn.step(State.THINKING, turn.ReplyFinished())
