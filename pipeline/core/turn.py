"""Whose turn it is: a pure state machine. `step(state, event)` says where it goes and what must be done.

    IDLE → LISTENING → THINKING → SPEAKING → LISTENING, and INTERRUPTED, passed through on the way back to LISTENING.

Product contract, section 4. An event that a state does not allow raises
IllegalTransition; the caller logs it and stays.
"""

from dataclasses import dataclass

from pipeline.contracts.dialogue import CancelReason, State
from pipeline.contracts.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Connected:
    """The line is open."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The visitor began to speak, or so it seems: whoever is heard speaking over a reply is first listened to."""


@dataclass(frozen=True, slots=True)
class FloorKept:
    """It was nothing: noise, or "mm-hm". The reply goes on."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """It is our turn: the end of the visitor's turn was decided, something was typed, or we greet."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The first audio (in writing: the first text) of the reply went out."""


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The last of the reply went out."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reply must end now, for this reason: the visitor has taken the floor, said stop, or something failed."""

    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Abandoned:
    """There will be no reply after all: noise instead of words, or nothing could be said."""


Event = Connected | SpeechStarted | FloorKept | TurnEnded | ReplyBegan | ReplyFinished | Stopped | Abandoned


@dataclass(frozen=True, slots=True)
class StartReply:
    pass


@dataclass(frozen=True, slots=True)
class HoldReply:
    """Be silent at once, and keep everything: it is not known yet whether the visitor takes the floor."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """Go on from where it was held."""


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop generation, synthesis, queued audio and animation; cut the record to what was heard."""

    reason: CancelReason


Action = StartReply | HoldReply | ReleaseReply | CancelReply


@dataclass(frozen=True, slots=True)
class Step:
    passed: tuple[State, ...]
    """The states entered, in order; empty: nothing changes."""
    actions: tuple[Action, ...] = ()


_STAY = Step(())
_BACK = (State.INTERRUPTED, State.LISTENING)


def step(state: State, event: Event) -> Step:
    """What this event does in this state. Raises IllegalTransition."""
    if state is State.IDLE and isinstance(event, Connected):
        return Step((State.LISTENING,))
    if state is State.LISTENING:
        return _listening(event)
    if state in (State.THINKING, State.SPEAKING):
        return _replying(state, event)
    raise _illegal(state, event)


def _listening(event: Event) -> Step:
    match event:
        case TurnEnded():
            return Step((State.THINKING,), (StartReply(),))
        case SpeechStarted() | Stopped():
            return _STAY
        case _:
            raise _illegal(State.LISTENING, event)


def _replying(state: State, event: Event) -> Step:
    match event:
        case SpeechStarted():
            return Step((), (HoldReply(),))
        case FloorKept():
            return Step((), (ReleaseReply(),))
        case Stopped(reason):
            return Step(_BACK, (CancelReply(reason),))
        case TurnEnded():
            return Step((*_BACK, State.THINKING), (CancelReply(CancelReason.USER_BARGE_IN), StartReply()))
        case ReplyBegan() if state is State.THINKING:
            return Step((State.SPEAKING,))
        case ReplyFinished() if state is State.SPEAKING:
            return Step((State.LISTENING,))
        case Abandoned() if state is State.THINKING:
            return Step(_BACK)
        case _:
            raise _illegal(state, event)


def _illegal(state: State, event: Event) -> IllegalTransition:
    return IllegalTransition(f"{type(event).__name__} is not possible while {state.value}")
