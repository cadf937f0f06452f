"""A session on this worker: one visitor, one line (or none: in writing), from the first sound to the goodbye.

Owns every task of the conversation: the reply under way, the face, the beat. `run()` returns why it ended; nothing of
it is left behind.
"""

import asyncio
import logging
import time
from typing import Any

from pipeline.contracts.dialogue import CancelReason, LegRecord, Origin, State, turn_id
from pipeline.contracts.errors import StreamEnded
from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import BEAT_S, SILENCE_CUE_S
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Offer
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import whole_characters
from pipeline.core.exchange import Exchange
from pipeline.core.greeting import visitor_hears
from pipeline.core.limits import Limits
from pipeline.core.nudging import QUESTION_AFTER_S
from pipeline.core.parts import Parts, wire
from pipeline.core.ports import Hearing, Line
from pipeline.core.surroundings import Surroundings
from pipeline.core.tasks import Tasks, to_its_end, within_deadline

LAST_WORDS_S = 0.5
"""What was said just before the end is waited for this long, so that it is in the record."""
CHAT_CHARS = 2000
MESSAGES_KNOWN = 50
"""So many typed messages are known again when they are sent again: more than a visitor may type in a minute."""

log = logging.getLogger(__name__)


class Session:
    """One leg of a session. `line` and `hearing` are None for a conversation in writing."""

    def __init__(
        self,
        offer: Offer,
        spec: AssistantSpec,
        clock: SessionClock,
        around: Surroundings,
        line: Line | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self.id, self.leg, self.line = offer.session_id, offer.leg, line
        self._clock = clock
        self._around = around
        self._greeted = bool(offer.history)
        self._agreed = offer.record
        self._limits = Limits(clock)
        self._tasks = Tasks(f"session {self.id}", self.task_failed)
        self._connected = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._page_spoke = False
        self._answering: dict[str, Exchange] = {}
        """The latest messages that had an id."""
        self._parts: Parts = wire(self, offer, spec, clock, around, line, hearing, self._limits, self._tasks)

    # What the host may ask ------------------------------------------------------------------------------------------

    async def run(self) -> str:
        """Until the line, the visitor or a limit ends it. Returns the reason."""
        try:
            self._journal_leg("began", "")
            self._parts.floor.connected()
            self._connected.set()
            self._start_tasks()
            return await asyncio.shield(self._ended)
        finally:
            await to_its_end(self._wind_up())

    def _start_tasks(self) -> None:
        parts = self._parts
        if self.line is not None and parts.listening is not None and parts.facing is not None:
            self.line.on_control = self._on_control
            parts.listening.start()
            self._tasks.spawn("face", parts.facing.run())
            self._tasks.spawn("line", self._watch_line(self.line))
            self._tasks.spawn("greeting", self._greet())
            self._tasks.spawn("progress", parts.mouth.follow_progress())
        if parts.taping is not None:
            self._tasks.spawn("recording", parts.taping.run())
            if self._agreed:
                parts.taping.begin()
        self._tasks.spawn("versions", parts.versions.run())
        self._tasks.spawn("beat", self._beat())
        parts.context.after_turn(self.spec)

    def hang_up(self, reason: str) -> None:
        """End the session; `run` returns soon. The first reason counts."""
        if not self._ended.done():
            self._ended.set_result(reason)

    def move(self) -> None:
        """This worker is going down: the page is asked to offer again, and another worker takes over."""
        self._parts.teller.control({"type": "moved"})
        self._parts.teller.tell(EventKind.NOTICE, code="moved", text="One moment, the call is being moved.")

    async def chat(self, text: str, message_id: str = "") -> tuple[str, str]:
        """The visitor typed: (turn id, reply). A reply under way is cut, as speech would cut it. A message that comes
        again, by its id, is not said again: its reply is.

        Raises StreamEnded when the session is over.
        """
        await self._connected.wait()
        if self._ended.done():
            raise StreamEnded("this session is over")
        exchange = self._answering.get(message_id) or self._take_message(text, message_id)
        return turn_id(self.id, self.leg, exchange.number), await asyncio.shield(exchange.planned)

    def _take_message(self, text: str, message_id: str) -> Exchange:
        if self._parts.listening is not None:
            self._parts.listening.forget()
        exchange = self._parts.conversing.typed(whole_characters(text), message_id)
        if message_id:
            self._answering[message_id] = exchange
            if len(self._answering) > MESSAGES_KNOWN:
                del self._answering[next(iter(self._answering))]
        return exchange

    def watched(self) -> None:
        """Somebody watches the face from elsewhere, for the next WATCHED_S."""
        if self._parts.facing is not None:
            self._parts.facing.watched()

    def swap(self, spec: AssistantSpec) -> None:
        """A new version was published: it answers from the next turn on, once its index is built."""
        self._parts.versions.publish(spec)

    def record(self, on: bool) -> None:
        """The visitor agrees to be recorded, or does not any more: then what there is is deleted. In writing: no."""
        self._agreed = on
        if (taping := self._parts.taping) is None or not self._connected.is_set() or self._ended.done():
            return
        if on:
            taping.begin()
        else:
            taping.end(keep=False)

    @property
    def spec(self) -> AssistantSpec:
        """The version that answers now."""
        return self._parts.versions.spec

    @property
    def at_turn_boundary(self) -> bool:
        listening = self._parts.listening
        return self._parts.floor.state is State.LISTENING and not (listening is not None and listening.busy)

    # What is said without having been asked -------------------------------------------------------------------------

    async def _greet(self) -> None:
        """Once the visitor can hear us; not when a session resumes, nor over somebody who speaks already."""
        if self._greeted or self.line is None:
            return
        await visitor_hears(self.line, self._clock.clock, lambda: self._page_spoke)
        if self.spec.greeting and self._parts.turns.none_yet:
            self.say(Origin.GREETING, self.spec.greeting)

    def nudge(self, question: str) -> None:
        """The visitor has been silent where an answer was due."""
        self._parts.scos.silence((SILENCE_CUE_S + QUESTION_AFTER_S) * 1000.0)
        self.say(Origin.NUDGE, question)

    def say(self, origin: Origin, text: str) -> None:
        """Of our own accord; not over anybody."""
        if not self.at_turn_boundary or self._ended.done():
            return
        exchange = self._parts.turns.new(origin)
        exchange.text = text
        exchange.know_words(True)
        self._parts.floor.turn_ended(exchange)

    def exchange_closed(self, exchange: Exchange) -> None:
        """The floor is free again. A question of ours is due an answer."""
        self._parts.context.after_turn(self.spec)
        self._parts.scos.reply_over(exchange.cancelled)
        asked = exchange.cancelled is None and exchange.timeline.planned.rstrip().endswith("?")
        if asked and self.line is not None and exchange.origin in (Origin.VOICE, Origin.CHAT):
            self._parts.nudging.due("answer")

    # The line and the clock -----------------------------------------------------------------------------------------

    def _on_control(self, message: dict[str, Any]) -> None:
        """What the page says on the control channel. Unknown messages are from a newer page: ignored."""
        self._page_spoke = True
        match message.get("type"):
            case "stop":
                self._parts.floor.stop(CancelReason.USER_STOP)
            case "hangup":
                self.hang_up("hangup")
            case "face":
                if self._parts.facing is not None:
                    self._parts.facing.wanted = bool(message.get("on", True))
            case "quality":
                self._parts.budget.page_says(message)
            case "chat" if isinstance(text := message.get("text"), str) and 0 < len(text.strip()) <= CHAT_CHARS:
                self._typed(text.strip())

    def _typed(self, text: str) -> None:
        if self._limits.may_type():
            self._tasks.spawn("chat", self.chat(text))
        else:
            text = "That was a lot at once. Please wait a moment."
            self._parts.teller.tell(EventKind.NOTICE, code="too_many", text=text)

    async def _watch_line(self, line: Line) -> None:
        self.hang_up(await line.closed())

    async def _beat(self) -> None:
        """Every second: show the page that we live; see whether the visitor does, and whether a limit is reached."""
        while True:
            self._parts.teller.beat()
            if not self.at_turn_boundary:
                self._limits.touch()
            last_heard_s = None if self.line is None else self.line.last_heard
            if (reason := self._limits.reached(last_heard_s, self.spec.idle_limit_s)) is not None:
                self.hang_up(reason)
            await self._clock.clock.sleep(BEAT_S)

    # The end --------------------------------------------------------------------------------------------------------

    def task_failed(self, name: str, error: BaseException) -> None:
        if isinstance(error, StreamEnded):
            self.hang_up("closed")
            return
        log.error("%s failed", name, exc_info=error)
        self._around.meter.failed("session")
        text = "Something went wrong on our side."
        self._parts.teller.tell(EventKind.ERROR, code="internal", text=text, fatal=True)
        self.hang_up("failed")

    async def _wind_up(self) -> None:
        """Cut the reply (it is recorded as heard), say goodbye, end every task, close the line."""
        self.hang_up("failed")
        reason = self._ended.result()
        if self._parts.listening is not None:
            self._parts.listening.close()
        self._parts.conversing.leaving()
        await self._parts.quiet()
        await self._tasks.finished("words", LAST_WORDS_S)
        if self._parts.taping is not None:
            self._parts.taping.end(keep=True)
        self._parts.teller.tell(EventKind.ENDED, reason=reason)
        self._journal_leg("ended", reason)
        await self._tasks.close()
        await self.close()

    async def close(self) -> None:
        """Lets go of the line and the recogniser. For a session that is never run; `run` does it itself."""
        if self.line is not None:
            await within_deadline("the line", self.line.close())
        if (listening := self._parts.listening) is not None:
            listening.close()
            await within_deadline("the recogniser", listening.hearing.close())

    def _journal_leg(self, kind: str, reason: str) -> None:
        around = self._around
        around.journal.record(
            LegRecord(kind, self.id, self.spec.tenant_id, self.leg, time.time(), around.worker, reason)
        )
