"""Who has the floor: drives the turn machine, runs one reply at a time as a scope of its own, holds it while somebody
seems to speak, cuts it when it must end.

Everything here runs on the session's loop and nothing waits: an interruption has silenced the speaker before the
method returns. What the visitor said and was told goes to the journal at the moment it is known.
"""

import asyncio
import logging
from collections.abc import Callable

from pipeline.contracts.dialogue import CancelReason, Origin, State, Transcript
from pipeline.contracts.errors import IllegalTransition
from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import CLOSE_DEADLINE_S
from pipeline.core import turn
from pipeline.core.budget import Budget
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.first_audio import FirstAudio
from pipeline.core.mouth import Mouth
from pipeline.core.putting_down import PuttingDown
from pipeline.core.telling import Teller

log = logging.getLogger(__name__)

Start = Callable[[Exchange], "asyncio.Task[None]"]


class Floor:
    """`start(exchange)` begins the task that thinks and speaks; it calls `began` and returns when all is said."""

    def __init__(
        self,
        *,
        clock: SessionClock,
        teller: Teller,
        putting_down: PuttingDown,
        conversation: Conversation,
        mouth: Mouth,
        first_audio: FirstAudio,
        budget: Budget,
        start: Start,
        on_closed: Callable[[Exchange], None],
    ) -> None:
        """`on_closed` hears of every exchange that is over and was not taken back."""
        self.state = State.IDLE
        self.exchange: Exchange | None = None
        self.held = False
        """Somebody seems to speak: the reply is silent until it is known who has the floor."""
        self.over_at_ms = float("-inf")
        """When the last reply fell silent, on the session's clock."""
        self._clock = clock
        self._teller = teller
        self._putting_down = putting_down
        self._held_ms = 0.0  # on the session's clock: the speech-start event of a barge-in
        self._conversation = conversation
        self._mouth = mouth
        self._first_audio = first_audio
        self._budget = budget
        self._start = start
        self._on_closed = on_closed
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        """Its own, and those of cut replies that are still putting their engines away."""

    @property
    def replying(self) -> bool:
        return self.state in (State.THINKING, State.SPEAKING)

    @property
    def asking(self) -> bool:
        """The reply under way is about to end, with a question."""
        return self.exchange is not None and self.replying and self._mouth.ends_asking(self.exchange)

    # The visitor ----------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._take(turn.Connected())

    def speech_started(self) -> None:
        """Or so it seems. A reply under way falls silent; `kept` or `stop` decides."""
        if self.replying and not self.held:
            self._take(turn.SpeechStarted())

    def kept(self) -> None:
        """It was nothing: the reply goes on from where it was held."""
        if self.held:
            self._take(turn.FloorKept())

    def stop(self, reason: CancelReason) -> None:
        if self.replying:
            self._take(turn.Stopped(reason))

    def take_back(self) -> None:
        """The visitor was not done: the reply under way never was, and what they say next goes on from it."""
        if self.replying and self.exchange is not None:
            self.exchange.taken_back = True
            self._take(turn.Stopped(CancelReason.USER_BARGE_IN))

    def turn_ended(self, exchange: Exchange) -> None:
        """The decision is made: this exchange has the floor (one that was under way is cut first)."""
        if self._take(turn.TurnEnded(), exchange):
            exchange.commit()
        else:
            exchange.over = True
            exchange.settle()
            if exchange.task is not None:
                exchange.task.cancel()

    def understood(self, exchange: Exchange, transcript: Transcript) -> None:
        """The words of the visitor's turn are known: they are kept, even if the turn was cut meanwhile."""
        exchange.hear(transcript)
        if exchange.taken_back:  # they are told with the exchange that goes on from this one
            return
        self._conversation.visitor_said(exchange.visitor.text)
        self._putting_down.words(exchange)
        if exchange.over:
            self._putting_down.turn(exchange, "")

    def noise(self, exchange: Exchange) -> None:
        """There were no words after all: as if nothing had happened."""
        exchange.know_words(False)
        self._abandon(exchange)

    def heard_and_done(self, exchange: Exchange) -> None:
        """The visitor only wanted us to stop, which we have: there is nothing to say."""
        if not exchange.over:
            self._putting_down.turn(exchange, "")
            self._abandon(exchange)

    # The reply ------------------------------------------------------------------------------------------------------

    def began(self, exchange: Exchange) -> None:
        """The first audio (or text) of the reply went out."""
        if exchange.over:
            return
        if self._mouth.audible:
            exchange.timings.ttfa_ms = (self._clock.clock.now() - exchange.decided_at) * 1000.0
            self._first_audio.forget()
        self._mouth.began(exchange)
        self._take(turn.ReplyBegan())
        if exchange.origin is Origin.VOICE:
            self._budget.account(exchange)
        if self.held:  # somebody began to speak between our decision to sound and the sound
            self._mouth.hold(exchange)

    def finished(self, exchange: Exchange) -> None:
        """All of the reply went out."""
        if exchange.over:
            return
        self.kept()  # held in the instant in which the last of it went out
        if self.state is not State.SPEAKING:  # nothing of it went out: the line is closing
            self.failed(exchange)
            return
        self._close(exchange, exchange.timeline.planned)
        self._take(turn.ReplyFinished())

    def failed(self, exchange: Exchange) -> None:
        """The reply cannot go on: it ends with what was heard of it. A draft's failure is nobody's business."""
        if exchange is self.exchange and not exchange.over:
            self.stop(CancelReason.SYSTEM_OVERLOAD)

    async def close(self) -> None:
        """The line is gone: cut what is under way, wait for its task."""
        self.stop(CancelReason.USER_STOP)
        self.state = State.IDLE
        self._first_audio.forget()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=CLOSE_DEADLINE_S)
            for task in left:
                log.error("%s does not end", task.get_name())

    def _take(self, event: turn.Event, exchange: Exchange | None = None) -> bool:
        """False: not possible in this state; nothing has changed."""
        try:
            taken = turn.step(self.state, event)
        except IllegalTransition as error:
            log.error("illegal transition: %s", error)
            return False
        reason = next((a.reason for a in taken.actions if isinstance(a, turn.CancelReply)), None)
        if reason is not None:
            self._cancel(reason)
        elif turn.HoldReply() in taken.actions:
            self._hold()
        elif turn.ReleaseReply() in taken.actions:
            self._release()
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
        self.exchange, self.held = exchange, False
        self._task = exchange.task or self._start(exchange)
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)
        self._await_first_audio(exchange)

    def _await_first_audio(self, exchange: Exchange) -> None:
        if self._mouth.audible and exchange.origin is Origin.VOICE:
            self._first_audio.expect(lambda: self._too_late(exchange))

    def _too_late(self, exchange: Exchange) -> bool:
        """V7. False: heard in time, or not waited for any more."""
        if exchange is not self.exchange or exchange.over or self.state is not State.THINKING or self.held:
            return False
        self._take(turn.Stopped(CancelReason.SYSTEM_OVERLOAD))
        return True

    def _hold(self) -> None:
        """Sound first. Nothing is cancelled yet: engines go on."""
        exchange, asked = self.exchange, self._clock.clock.now()
        if exchange is None or exchange.over:
            return
        self.held, self._held_ms = True, self._clock.now_ms()
        exchange.gate.clear()
        if self.state is State.SPEAKING:
            self._mouth.hold(exchange)
            exchange.timings.barge_in_ms = (self._clock.clock.now() - asked) * 1000.0

    def _release(self) -> None:
        exchange, self.held = self.exchange, False
        if exchange is None or exchange.over:
            return
        exchange.timings.barge_in_ms = None
        exchange.gate.set()
        if self.state is State.SPEAKING:
            self._mouth.release(exchange)
            return
        exchange.decided_at += (self._clock.now_ms() - self._held_ms) / 1000.0  # that time was not ours
        self._await_first_audio(exchange)

    def _cancel(self, reason: CancelReason) -> None:
        """Sound first, everything else after it."""
        exchange, since_ms, self.held = self.exchange, self._held_ms if self.held else self._clock.now_ms(), False
        if exchange is None or exchange.over:
            return
        heard = self._mouth.cut(exchange)
        if self._task is not None:
            self._task.cancel()
        exchange.cancelled = reason
        at_ms, number = round(since_ms, 1), exchange.number
        self._teller.tell(
            EventKind.CANCEL, turn=number, type="CANCEL", reason=reason.value, t_event_ms=at_ms, reply=number
        )
        self._close(exchange, heard)

    def _abandon(self, exchange: Exchange) -> None:
        if exchange.over:
            return
        exchange.over, self.held = True, False
        exchange.settle()
        if self._task is not None:
            self._task.cancel()
        self._take(turn.Abandoned())

    def _close(self, exchange: Exchange, heard: str) -> None:
        exchange.over = True
        exchange.settle()
        self._mouth.over(cut=exchange.cancelled is not None)
        self.over_at_ms = self._clock.now_ms()
        if exchange.taken_back:
            exchange.fragment = f"{exchange.fragment} {heard}".strip()
            if exchange.words_known:
                self._conversation.take_back(exchange.visitor.text)
            return
        self._conversation.agent_told(heard)
        if exchange.words_known:
            self._putting_down.turn(exchange, heard)
        self._on_closed(exchange)
