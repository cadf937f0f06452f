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
from pipeline.contracts.numbers import CLOSE_DEADLINE_S
from pipeline.core import turn
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.ports import Journal, Speaker
from pipeline.core.telling import Teller

PROGRESS_S = 0.1

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
        self._tasks: set[asyncio.Task[None]] = set()
        """The reply under way, and cut ones that are still putting their engines away."""
        self._spoken_up_to = ""

    # Events ---------------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._take(turn.Connected())

    def speech_started(self) -> None:
        self._take(turn.SpeechStarted())

    def turn_ended(self, exchange: Exchange) -> None:
        """The decision is made: this exchange has the floor (one that was under way is cut first)."""
        if not self._take(turn.TurnEnded(), exchange):
            exchange.over = True
            exchange.settle()

    def stop(self, reason: CancelReason) -> None:
        if self.state in (State.THINKING, State.SPEAKING):
            self._take(turn.Stopped(reason))

    def understood(self, exchange: Exchange, transcript: Transcript) -> None:
        """The words of the visitor's turn are known: they are kept, even if the turn was cut meanwhile."""
        exchange.visitor = transcript
        self._conversation.visitor_said(transcript.text)
        self._teller.tell(
            EventKind.FINAL,
            turn=exchange.number,
            t_audio_ms=exchange.t_audio_ms,
            text=transcript.text,
            origin=exchange.origin.value,
        )
        exchange.know_words(True)
        if exchange.over:
            self._put_down(exchange, "")
        else:
            self._journal.record(exchange.said())

    def began(self, exchange: Exchange) -> None:
        """The first audio (or text) of the reply went out."""
        if exchange.over:
            return
        if self._speaker is not None:
            exchange.timings.ttfa_ms = (self._clock.clock.now() - exchange.decided_at) * 1000.0
        self._teller.control({"type": "reply", "reply": exchange.number, "t_audio_ms": round(self._clock.now_ms(), 1)})
        if self._facing is not None:
            self._facing.speech_began()
        self._take(turn.ReplyBegan())

    def finished(self, exchange: Exchange) -> None:
        """All of the reply went out."""
        if exchange.over:
            return
        if self.state is not State.SPEAKING:  # nothing of it went out: the line is closing
            self.failed(exchange)
            return
        self._close(exchange, exchange.timeline.planned)
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
            self._teller.tell(EventKind.AGENT_TEXT, turn=self.exchange.number, text=heard, reply=self.exchange.number)

    async def follow_progress(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.clock.sleep(PROGRESS_S)
            self.tell_progress()

    async def close(self) -> None:
        """The line is gone: cut what is under way, wait for its task."""
        self.stop(CancelReason.USER_STOP)
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=CLOSE_DEADLINE_S)
            for task in left:
                log.error("%s does not end", task.get_name())
        self.state = State.IDLE

    # Inside ---------------------------------------------------------------------------------------------------------

    def _take(self, event: turn.Event, exchange: Exchange | None = None) -> bool:
        """False: not possible in this state; nothing has changed."""
        try:
            taken = turn.step(self.state, event)
        except IllegalTransition as error:
            log.error("illegal transition: %s", error)
            return False
        reason = next((a.reason for a in taken.actions if isinstance(a, turn.CancelReply)), None)
        if reason is not None:
            self._cancel(reason, barge_in=isinstance(event, turn.SpeechStarted) and self.state is State.SPEAKING)
        for state in taken.passed:
            self._enter(state, reason, exchange)
        if exchange is not None and turn.StartReply() in taken.actions:
            self._begin(exchange)
        return True

    def _enter(self, state: State, reason: CancelReason | None, exchange: Exchange | None) -> None:
        """What is left behind still belongs to the old turn; thinking is the first state of the new one."""
        self.state = state
        if state is State.THINKING and exchange is not None:
            self._teller.turn = exchange.number
        if state is State.INTERRUPTED and reason is not None:
            self._teller.tell(EventKind.STATE, state=state.value, reason=reason.value)
        else:
            self._teller.tell(EventKind.STATE, state=state.value)

    def _begin(self, exchange: Exchange) -> None:
        self.exchange, self._spoken_up_to = exchange, ""
        self._task = self._start(exchange)
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    def _cancel(self, reason: CancelReason, *, barge_in: bool) -> None:
        """Sound first, everything else after it."""
        exchange, asked = self.exchange, self._clock.clock.now()
        if exchange is None or exchange.over:
            return
        heard_ms = self._speaker.flush() if self._speaker is not None else 0.0
        self._teller.control({"type": "stop", "reply": exchange.number, "heard_ms": round(heard_ms, 1)})
        if barge_in:
            exchange.timings.barge_in_ms = (self._clock.clock.now() - asked) * 1000.0
        if self._task is not None:
            self._task.cancel()
        exchange.cancelled = reason
        t_event_ms = round(self._clock.now_ms(), 1)
        self._teller.tell(
            EventKind.CANCEL,
            turn=exchange.number,
            type="CANCEL",
            reason=reason.value,
            t_event_ms=t_event_ms,
            reply=exchange.number,
        )
        self._close(exchange, self._heard(exchange, heard_ms))

    def _heard(self, exchange: Exchange, played_ms: float | None = None) -> str:
        if self._speaker is None:
            return exchange.timeline.planned
        return exchange.timeline.heard(self._speaker.played_ms if played_ms is None else played_ms)

    def _close(self, exchange: Exchange, heard: str) -> None:
        exchange.over = True
        exchange.settle()
        self._conversation.agent_told(heard)
        if self._facing is not None:
            self._facing.speech_over(cut=exchange.cancelled is not None)
        if exchange.words_known:
            self._put_down(exchange, heard)

    def _put_down(self, exchange: Exchange, heard: str) -> None:
        """The finished turn goes to the journal; one cut before its words were known comes here when they are."""
        record = exchange.told(heard)
        self._journal.record(record)
        self._teller.tell(
            EventKind.TURN,
            turn=exchange.number,
            text=heard,
            reply=exchange.number,
            interrupted=record.interrupted,
            timings=record.timings,
            warmup=record.warmup,
            turn_id=record.turn_id,
            origin=record.origin,
        )
