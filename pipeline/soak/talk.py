"""One exchange of words over a call, with everything measured that a caller can measure."""

import math
from dataclasses import dataclass

from pipeline.contracts.dialogue import State
from pipeline.contracts.events import EventKind
from pipeline.soak.call import Arrival, Call
from pipeline.soak.errors import SoakError
from pipeline.soak.lines import Repertoire
from pipeline.soak.plan import Exchange
from pipeline.soak.tally import TurnMeasured

GREETING_BEGINS_S = 4.0
"""No greeting within this time: the assistant has none."""
REPLY_LIMIT_S = 60.0
DECISION_LIMIT_S = 8.0
FIRST_AUDIO_LIMIT_S = 5.0
CANCEL_LIMIT_S = 2.0
SILENT_AFTER_S = 0.4
"""Between the end of a reply and whatever comes next: what is still on its way here has sounded by then."""


class Failed(SoakError):
    """The product did not do its part in this turn."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line spoken by the caller, seconds on its clock."""

    began_s: float
    ended_s: float
    """The true end of the speech."""


async def greeting(call: Call) -> None:
    """Let the assistant greet, if it does. Raises Lost, Failed."""
    spoke = await call.event(EventKind.STATE, GREETING_BEGINS_S, state=State.SPEAKING)
    if spoke is not None:
        await _done(call, spoke)


class Conversation:
    """Ask, listen, perhaps interrupt and listen again. Raises Lost; a turn that fails says so in its measurement."""

    def __init__(self, call: Call, repertoire: Repertoire, caller: int) -> None:
        self._call = call
        self._repertoire = repertoire
        self._caller = caller

    async def exchange(self, step: Exchange) -> list[TurnMeasured]:
        """One or two turns, measured as far as they came."""
        turns = [TurnMeasured(self._caller)]
        self._call.forget_events()
        try:
            decided = await self._ask(step.line, turns[0])
            if step.interruption and await self._reply_outlasts(step.interrupt_after_s):
                turns.append(TurnMeasured(self._caller))
                decided = await self._interrupt(step.interruption, *turns)
            await self._finish(decided, turns[-1])
        except Failed as failure:
            turns[-1].failure = str(failure)
        return turns

    async def _ask(self, line: str, turn: TurnMeasured) -> Arrival:
        said = await self._say(line)
        return await self._hear_reply(said, turn)

    async def _say(self, name: str) -> Said:
        mouth = self._call.mouth
        line = self._repertoire.line(name)
        mouth.say(line)
        ended_s = await self._call.until(lambda: mouth.ended_s, line.speech_end_ms / 1000 + 5.0)
        if ended_s is None or mouth.began_s is None:
            raise Failed("the caller could not speak: its own track stalled")
        return Said(mouth.began_s, ended_s)

    async def _hear_reply(self, said: Said, turn: TurnMeasured) -> Arrival:
        """From the end of the caller's speech to the first sound of the reply. Returns the end-of-turn event."""
        self._call.ear.arm()
        decided = await self._call.event(EventKind.STATE, DECISION_LIMIT_S, state=State.THINKING)
        if decided is None:
            raise Failed("not heard: no end of turn after the caller spoke")
        if decided.at_s < said.ended_s:
            raise Failed("cut off: the turn was ended while the caller spoke")
        heard_s = await self._call.until(lambda: self._call.ear.first_audible_s, FIRST_AUDIO_LIMIT_S)
        if heard_s is None:
            raise Failed("no reply: nothing audible after the end of turn")
        turn.ttfa_ms = _ms(heard_s - decided.at_s)
        turn.gap_ms = _ms(heard_s - said.ended_s)
        return decided

    async def _reply_outlasts(self, seconds: float) -> bool:
        """Listen on for a while; False when the reply is over before."""
        return await self._call.event(EventKind.TURN, seconds) is None

    async def _interrupt(self, line: str, asked: TurnMeasured, turn: TurnMeasured) -> Arrival:
        """Speak into the reply: it must be cancelled and fall silent. The interruption is a turn of its own."""
        self._call.forget_events()
        said = await self._say(line)
        cancelled = await self._call.event(EventKind.CANCEL, CANCEL_LIMIT_S)
        done = self._call.seen(EventKind.TURN)
        if cancelled is None and done is None:
            raise Failed("not interrupted: the reply went on although the caller spoke")
        silent_s = self._call.ear.last_audible_s
        if cancelled is not None:
            self._measure_barge_in(cancelled, said, silent_s, asked)
        if done is not None:
            _take_done(done, asked)
        return await self._hear_reply(said, turn)

    def _measure_barge_in(self, cancelled: Arrival, said: Said, silent_s: float, asked: TurnMeasured) -> None:
        """V2 from the server's own speech-start event, carried over to the caller's clock by the beats."""
        started_s = self._call.far_clock.local_s(cancelled.event["t_event_ms"]) or cancelled.at_s
        asked.barge_in_ms = _ms(silent_s - started_s)
        asked.felt_barge_in_ms = _ms(silent_s - said.began_s)

    async def _finish(self, decided: Arrival, turn: TurnMeasured) -> None:
        done = await _done(self._call, decided)
        _take_done(done, turn)
        final = self._call.seen(EventKind.FINAL, decided)
        turn.understood = bool(final and final.event.get("text"))
        if not done.event.get("text"):
            raise Failed(f"empty reply: turn.done carries no words{self._why_cut(decided)}")

    def _why_cut(self, decided: Arrival) -> str:
        if self._call.seen(EventKind.NOTICE, decided, code="turn_timeout"):
            return " (the server had nothing to say within its limit)"
        cut = self._call.seen(EventKind.CANCEL, decided)
        return f" (cut: {cut.event['reason']})" if cut else ""


async def _done(call: Call, after: Arrival) -> Arrival:
    """The reply's end, and then silence. Raises Failed."""
    done = await call.event(EventKind.TURN, REPLY_LIMIT_S, after)
    if done is None:
        raise Failed(f"not finished: no turn.done within {REPLY_LIMIT_S:.0f} s")
    await call.rest(SILENT_AFTER_S)
    return done


def _take_done(done: Arrival, turn: TurnMeasured) -> None:
    turn.server = {name: float(ms) for name, ms in done.event.get("timings", {}).items()}
    turn.warmup = bool(done.event.get("warmup"))


def _ms(seconds: float) -> float | None:
    return round(max(0.0, seconds) * 1000, 1) if math.isfinite(seconds) else None
