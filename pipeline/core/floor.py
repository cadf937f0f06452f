"""Who has the floor: drives the turn machine, runs one reply at a time as a scope of its own, cuts it when it must end.

Everything here runs on the session's loop and nothing waits: an interruption has silenced the speaker before the
method returns. What the visitor said and was told goes to the journal at the moment it is known.
"""

import asyncio
import logging
from collections.abc import Callable

from pipeline.contracts.dialogue import CancelReason, State, Transcript
from pipeline.contracts.errors import IllegalTransition
from pipeline.contracts.events import EventKind
from pipeline.core import turn
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.ports import Journal, Speaker
from pipeline.core.telling import Teller

log = logging.getLogger(__name__)


class Floor:
    """`run_reply(exchange)` is the coroutine that thinks and speaks; it calls `began` and returns when all is said."""

    def __init__(
        self,
        *,
        clock: SessionClock,
        teller: Teller,
        journal: Journal,
        conversation: Conversation,
        speaker: Speaker | None,
        facing: Facing | None,
        start: Callable[[Exchange], "asyncio.Task[None]"],
    ) -> None:
        self.state = State.IDLE
        self.exchange: Exchange | None = None
        self._clock = clock
        self._teller = teller
        self._journal = journal
        self._conversation = conversation
        self._speaker = speaker
        self._facing = facing
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self._spoken_up_to = ""

    # Events ---------------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._take(turn.Connected())

    def speech_started(self) -> None:
        self._take(turn.SpeechStarted())

    def turn_ended(self, exchange: Exchange) -> None:
        """The decision is made: this exchange has the floor (one that was under way is cut first)."""
        self._take(turn.TurnEnded(), exchange)

    def stop(self, reason: CancelReason) -> None:
        if self.state in (State.THINKING, State.SPEAKING):
            self._take(turn.Stopped(reason))

    def understood(self, exchange: Exchange, transcript: Transcript) -> None:
        """The words of the visitor's turn are known: they are kept, even if the turn was cut meanwhile."""
        exchange.visitor = transcript
        self._conversation.visitor_said(transcript.text)
        self._teller.tell(EventKind.FINAL, text=transcript.text, origin=exchange.origin.value)
        exchange.know_words(True)
        if exchange.over:
            self._put_down(exchange, "", CancelReason.USER_BARGE_IN)
        else:
            self._journal.record(exchange.said())

    def began(self, exchange: Exchange) -> None:
        """The first audio (or text) of the reply went out."""
        if exchange.over:
            return
        exchange.timings.ttfa_ms = (self._clock.clock.now() - exchange.decided_at) * 1000.0
        self._teller.control({"type": "reply", "reply": exchange.number, "t_audio_ms": round(self._clock.now_ms(), 1)})
        if self._facing is not None:
            self._facing.speech_began()
        self._take(turn.ReplyBegan())

    def finished(self, exchange: Exchange) -> None:
        """All of the reply went out."""
        if exchange.over:
            return
        self._close(exchange, exchange.timeline.planned, None)
        self._take(turn.ReplyFinished())

    def failed(self, exchange: Exchange) -> None:
        """The reply cannot go on: it ends with what was heard of it."""
        if not exchange.over:
            self.stop(CancelReason.SYSTEM_OVERLOAD)

    def noise(self, exchange: Exchange) -> None:
        """There were no words after all: as if nothing had happened."""
        exchange.know_words(False)
        if exchange.over:
            return
        exchange.over = True
        exchange.settle()
        self._take(turn.Abandoned())

    def tell_progress(self) -> None:
        """The reply as far as it has sounded, when that has grown."""
        if self.state is not State.SPEAKING or self.exchange is None:
            return
        heard = self._heard(self.exchange)
        if heard and heard != self._spoken_up_to:
            self._spoken_up_to = heard
            self._teller.tell(EventKind.AGENT_TEXT, text=heard, reply=self.exchange.number)

    async def close(self) -> None:
        """The line is gone: cut what is under way, wait for its task."""
        self.stop(CancelReason.USER_STOP)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.state = State.IDLE

    # Inside ---------------------------------------------------------------------------------------------------------

    def _take(self, event: turn.Event, exchange: Exchange | None = None) -> None:
        try:
            taken = turn.step(self.state, event)
        except IllegalTransition as error:
            log.error("illegal transition: %s", error)
            return
        for action in taken.actions:
            if isinstance(action, turn.CancelReply):
                self._cancel(action.reason)
        for state in taken.passed:
            self.state = state
            self._teller.tell(EventKind.STATE, state=state.value)
        if exchange is not None and turn.StartReply() in taken.actions:
            self.exchange, self._spoken_up_to = exchange, ""
            self._task = self._start(exchange)

    def _cancel(self, reason: CancelReason) -> None:
        """Sound first, everything else after it."""
        exchange, asked = self.exchange, self._clock.clock.now()
        if exchange is None or exchange.over:
            return
        heard_ms = self._speaker.flush() if self._speaker is not None else 0.0
        self._teller.control({"type": "stop", "reply": exchange.number, "heard_ms": round(heard_ms, 1)})
        exchange.timings.barge_in_ms = (self._clock.clock.now() - asked) * 1000.0
        if self._task is not None:
            self._task.cancel()
        t_event_ms = round(self._clock.now_ms(), 1)
        self._teller.tell(
            EventKind.CANCEL, type="CANCEL", reason=reason.value, t_event_ms=t_event_ms, reply=exchange.number
        )
        self._close(exchange, self._heard(exchange, heard_ms), reason)

    def _heard(self, exchange: Exchange, played_ms: float | None = None) -> str:
        if self._speaker is None:
            return exchange.timeline.planned
        return exchange.timeline.heard(self._speaker.played_ms if played_ms is None else played_ms)

    def _close(self, exchange: Exchange, heard: str, cancelled: CancelReason | None) -> None:
        exchange.over = True
        exchange.settle()
        self._conversation.agent_told(heard)
        if self._facing is not None:
            self._facing.speech_over(cut=cancelled is not None)
        if exchange.words_known:
            self._put_down(exchange, heard, cancelled)

    def _put_down(self, exchange: Exchange, heard: str, cancelled: CancelReason | None) -> None:
        """The finished turn goes to the journal; one cut before its words were known comes here when they are."""
        record = exchange.told(heard, cancelled)
        self._journal.record(record)
        self._teller.tell(
            EventKind.TURN,
            text=heard,
            reply=exchange.number,
            interrupted=cancelled is not None,
            timings=record.timings,
            warmup=record.warmup,
            turn_id=record.turn_id,
            origin=record.origin,
        )
