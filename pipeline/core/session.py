"""A session on this worker: one visitor, one line (or none: in writing), from the first sound to the goodbye.

Owns every task of the conversation: the listening, the reply under way, the face, the beat. `run()` returns why it
ended; nothing of it is left behind.
"""

import asyncio
import logging
import time
import zlib
from typing import Any

from pipeline.contracts.dialogue import CancelReason, LegRecord, Origin, State, Transcript, turn_id
from pipeline.contracts.errors import StreamEnded
from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import BEAT_S, WARMUP_S, WARMUP_TURNS
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Offer
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import Conversation, whole_characters
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.floor import Floor
from pipeline.core.greeting import visitor_hears
from pipeline.core.limits import Limits
from pipeline.core.listening import Listening, UtteranceEnd
from pipeline.core.ports import Hearing, Line, VadStream
from pipeline.core.replying import Replying
from pipeline.core.speaking import Speaking
from pipeline.core.surroundings import Surroundings
from pipeline.core.tasks import Tasks, to_its_end, within_deadline
from pipeline.core.telling import Teller
from pipeline.core.thinking import Thinking
from pipeline.core.versions import Versions

NOISE_MS = 400
"""Shorter than this and without a word in it: a cough, not a question that was not understood."""
LAST_WORDS_S = 0.5
"""What was said just before the end is waited for this long, so that it is in the record."""
CHAT_CHARS = 2000

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
        self._vad: VadStream | None = None
        self._greeted = bool(offer.history)
        conversation = Conversation(offer.history)
        self._teller = Teller(self.id, self.leg, clock, line, around.publisher)
        self._facing, speaking = self._mouth(line)
        self._floor = Floor(
            clock=clock,
            teller=self._teller,
            journal=around.journal,
            conversation=conversation,
            speaker=line.speaker if line else None,
            facing=self._facing,
            start=self._start_reply,
        )
        engines, meter = around.engines, around.meter
        thinking = Thinking(engines.language, engines.retriever, conversation, clock, meter)
        self._replying = Replying(self._floor, thinking, speaking, meter)
        self._listening = self._ears(line, hearing, spec)
        self._versions = Versions(spec, engines, self._listening, clock, meter, lambda: self.at_turn_boundary)
        self._limits = Limits(clock)
        self._tasks = Tasks(f"session {self.id}", self._task_failed)
        self._connected = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._page_spoke = False
        self._turns = 0
        self._asked = len(conversation.questions())

    def _mouth(self, line: Line | None) -> tuple[Facing | None, Speaking | None]:
        if line is None:
            return None, None
        around = self._around
        track = around.engines.face.open(seed=zlib.crc32(self.id.encode()) & 0xFFFF)  # the same on every worker
        facing = Facing(self.id, track, self._clock, line, around.publisher, around.meter)
        return facing, Speaking(around.engines.voice, line.speaker, facing, self._clock)

    def _ears(self, line: Line | None, hearing: Hearing | None, spec: AssistantSpec) -> Listening | None:
        if line is None or hearing is None:
            return None
        self._vad = self._around.engines.vad.open()
        return Listening(line.microphone, self._vad, hearing, spec.turns, self)

    # What the host may ask ------------------------------------------------------------------------------------------

    async def run(self) -> str:
        """Until the line, the visitor or a limit ends it. Returns the reason."""
        try:
            self._journal_leg("began", "")
            self._floor.connected()
            self._connected.set()
            self._start_tasks()
            return await asyncio.shield(self._ended)
        finally:
            await to_its_end(self._wind_up())

    def _start_tasks(self) -> None:
        if self.line is not None and self._listening is not None and self._facing is not None:
            self.line.on_control = self._on_control
            self._tasks.spawn("listening", self._listening.run())
            self._tasks.spawn("face", self._facing.run())
            self._tasks.spawn("line", self._watch_line(self.line))
            self._tasks.spawn("greeting", self._greet())
            self._tasks.spawn("progress", self._floor.follow_progress())
        self._tasks.spawn("versions", self._versions.run())
        self._tasks.spawn("beat", self._beat())

    def hang_up(self, reason: str) -> None:
        """End the session; `run` returns soon. The first reason counts."""
        if not self._ended.done():
            self._ended.set_result(reason)

    def move(self) -> None:
        """This worker is going down: the page is asked to offer again, and another worker takes over."""
        self._teller.control({"type": "moved"})
        self._teller.tell(EventKind.NOTICE, code="moved", text="One moment, the call is being moved.")

    async def chat(self, text: str) -> tuple[str, str]:
        """The visitor typed: (turn id, reply). A reply under way is cut, as speech would cut it.

        Raises StreamEnded when the session is over.
        """
        await self._connected.wait()
        if self._ended.done():
            raise StreamEnded("this session is over")
        self._limits.touch()
        if self._listening is not None:
            self._listening.forget()
        exchange = self._new_exchange(Origin.CHAT)
        self._floor.turn_ended(exchange)
        self._floor.understood(exchange, Transcript(whole_characters(text)))
        return turn_id(self.id, self.leg, exchange.number), await asyncio.shield(exchange.planned)

    def swap(self, spec: AssistantSpec) -> None:
        """A new version was published: it answers from the next turn on, once its index is built."""
        self._versions.publish(spec)

    @property
    def spec(self) -> AssistantSpec:
        """The version that answers now."""
        return self._versions.spec

    @property
    def at_turn_boundary(self) -> bool:
        return self._floor.state is State.LISTENING and not (self._listening is not None and self._listening.busy)

    # Listener (core.listening) --------------------------------------------------------------------------------------

    def speech_started(self, t_audio_ms: float) -> None:
        self._limits.touch()
        self._floor.speech_started()

    def partial(self, text: str, t_audio_ms: float) -> None:
        """Of the turn that this will be."""
        self._teller.tell(EventKind.PARTIAL, turn=self._turns, t_audio_ms=t_audio_ms, text=text)

    def speech_ended(self, end: UtteranceEnd) -> None:
        self._limits.touch()
        exchange = self._new_exchange(Origin.VOICE, end.t_audio_ms)
        exchange.timings.endpoint_ms = end.silence_ms
        self._tasks.spawn(f"words {exchange.number}", self._understand(exchange, end))
        self._floor.turn_ended(exchange)

    async def _understand(self, exchange: Exchange, end: UtteranceEnd) -> None:
        """The recogniser's last word. Goes on when the reply is cut: what was said is kept."""
        assert self._listening is not None
        asked_ms = self._clock.now_ms()
        try:
            transcript = await self._listening.final()
        except Exception:  # whatever an engine raises: the visitor is asked to say it again
            self._around.meter.failed("asr")
            log.exception("the recogniser failed", extra={"session": self.id})
            transcript = Transcript("", 0.0)
        exchange.timings.asr_ms = self._clock.now_ms() - asked_ms
        if transcript.text or end.speech_ms >= NOISE_MS:
            self._floor.understood(exchange, transcript)
        else:
            self._asked -= 1
            self._floor.noise(exchange)

    # Turns ----------------------------------------------------------------------------------------------------------

    def _new_exchange(self, origin: Origin, t_audio_ms: float | None = None) -> Exchange:
        self._versions.adopt()
        number, self._turns = self._turns, self._turns + 1
        self._asked += origin is not Origin.GREETING
        return Exchange(
            session_id=self.id,
            leg=self.leg,
            number=number,
            origin=origin,
            spec=self.spec,
            version=self._versions.digest,
            t_audio_ms=self._clock.now_ms() if t_audio_ms is None else t_audio_ms,
            decided_at=self._clock.clock.now(),
            warmup=self._asked <= WARMUP_TURNS and self._clock.age_s() < WARMUP_S,
        )

    def _start_reply(self, exchange: Exchange) -> "asyncio.Task[None]":
        return asyncio.create_task(self._replying.run(exchange), name=f"session {self.id} reply {exchange.number}")

    async def _greet(self) -> None:
        """Once the visitor can hear us; not when a session resumes, nor over somebody who speaks already."""
        if self._greeted or self.line is None:
            return
        await visitor_hears(self.line, self._clock.clock, lambda: self._page_spoke)
        if self.spec.greeting and self.at_turn_boundary and self._turns == 0:
            exchange = self._new_exchange(Origin.GREETING)
            exchange.know_words(True)
            self._floor.turn_ended(exchange)

    # The line and the clock -----------------------------------------------------------------------------------------

    def _on_control(self, message: dict[str, Any]) -> None:
        """What the page says on the control channel. Unknown messages are from a newer page: ignored."""
        self._page_spoke = True
        match message.get("type"):
            case "stop":
                self._floor.stop(CancelReason.USER_STOP)
            case "hangup":
                self.hang_up("hangup")
            case "face":
                if self._facing is not None:
                    self._facing.wanted = bool(message.get("on", True))
            case "chat" if isinstance(text := message.get("text"), str) and 0 < len(text.strip()) <= CHAT_CHARS:
                self._typed(text.strip())

    def _typed(self, text: str) -> None:
        if self._limits.may_type():
            self._tasks.spawn("chat", self.chat(text))
        else:
            self._teller.tell(EventKind.NOTICE, code="too_many", text="That was a lot at once. Please wait a moment.")

    async def _watch_line(self, line: Line) -> None:
        self.hang_up(await line.closed())

    async def _beat(self) -> None:
        """Every second: show the page that we live; see whether the visitor does, and whether a limit is reached."""
        while True:
            self._teller.beat()
            if not self.at_turn_boundary:
                self._limits.touch()
            last_heard_s = None if self.line is None else self.line.last_heard
            if (reason := self._limits.reached(last_heard_s, self.spec.idle_limit_s)) is not None:
                self.hang_up(reason)
            await self._clock.clock.sleep(BEAT_S)

    # The end --------------------------------------------------------------------------------------------------------

    def _task_failed(self, name: str, error: BaseException) -> None:
        if isinstance(error, StreamEnded):
            self.hang_up("closed")
            return
        log.error("%s failed", name, exc_info=error)
        self._around.meter.failed("session")
        self._teller.tell(EventKind.ERROR, code="internal", text="Something went wrong on our side.", fatal=True)
        self.hang_up("failed")

    async def _wind_up(self) -> None:
        """Cut the reply (it is recorded as heard), say goodbye, end every task, close the line."""
        self.hang_up("failed")
        reason = self._ended.result()
        await self._floor.close()
        await self._tasks.finished("words", LAST_WORDS_S)
        self._teller.tell(EventKind.ENDED, reason=reason)
        self._journal_leg("ended", reason)
        await self._tasks.close()
        await self.close()

    async def close(self) -> None:
        """Lets go of the line and the recogniser. For a session that is never run; `run` does it itself."""
        if self.line is not None:
            await within_deadline("the line", self.line.close())
        if self._listening is not None:
            await within_deadline("the recogniser", self._listening.hearing.close())
        if self._vad is not None:
            self._vad.close()

    def _journal_leg(self, kind: str, reason: str) -> None:
        around = self._around
        around.journal.record(
            LegRecord(kind, self.id, self.spec.tenant_id, self.leg, time.time(), around.worker, reason)
        )
