"""The parts of one session and how they hang together. Wiring only."""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Protocol

from pipeline.contracts.events import EventKind
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Offer
from pipeline.core.budget import Budget
from pipeline.core.clock import SessionClock
from pipeline.core.context import Context
from pipeline.core.conversation import Conversation
from pipeline.core.conversing import Conversing
from pipeline.core.drafting import Drafting
from pipeline.core.echo import EchoCheck
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.first_audio import FirstAudio
from pipeline.core.floor import Floor
from pipeline.core.limits import Limits
from pipeline.core.listening import EarSettings, Listening
from pipeline.core.mouth import Mouth
from pipeline.core.nudging import Nudging
from pipeline.core.overtalk import Overtalk
from pipeline.core.ports import Hearing, Line, Speaker
from pipeline.core.putting_down import PuttingDown
from pipeline.core.replying import Replying
from pipeline.core.scos import Scos
from pipeline.core.speaking import Speaking
from pipeline.core.surroundings import Surroundings
from pipeline.core.taping import Taping, Tapped
from pipeline.core.tasks import Tasks
from pipeline.core.telling import Teller
from pipeline.core.thinking import Thinking
from pipeline.core.tones import Tones
from pipeline.core.turns import Turns
from pipeline.core.versions import Versions


class Owner(Protocol):
    """What the parts ask of their session."""

    id: str
    leg: int

    @property
    def at_turn_boundary(self) -> bool: ...
    def hang_up(self, reason: str) -> None: ...
    def nudge(self, question: str) -> None: ...
    def exchange_closed(self, exchange: Exchange) -> None: ...
    def task_failed(self, name: str, error: BaseException) -> None: ...


@dataclass(slots=True)
class Parts:
    teller: Teller
    facing: Facing | None
    mouth: Mouth
    floor: Floor
    listening: Listening | None
    versions: Versions
    turns: Turns
    drafting: Drafting
    conversing: Conversing
    nudging: Nudging
    tones: Tones
    budget: Budget
    context: Context
    scos: Scos
    taping: Taping | None

    async def quiet(self) -> None:
        """Nothing is said, prepared or asked any more."""
        self.nudging.settled()
        self.tones.stop()
        await self.floor.close()
        await self.drafting.close()


def wire(
    owner: Owner,
    offer: Offer,
    spec: AssistantSpec,
    clock: SessionClock,
    around: Surroundings,
    line: Line | None,
    hearing: Hearing | None,
    limits: Limits,
    tasks: Tasks,
) -> Parts:
    """`line` and `hearing` None: a conversation in writing."""
    engines, meter, conversation = around.engines, around.meter, Conversation(offer.history)
    speaker = line.speaker if line is not None else None
    teller = Teller(owner.id, spec.tenant_id, owner.leg, clock, line, around)
    facing, speaking, taping = _on_a_line(owner, spec.tenant_id, around, clock, line, teller)
    mouth = Mouth(speaker, facing, clock, teller, speaking.take_up_face if speaking else lambda: None)
    tones, nudging = _prompts(owner, speaker, clock, teller)
    budget = Budget(meter, teller, lambda: facing.lag_ms if facing is not None else 0.0)

    def start(exchange: Exchange) -> "asyncio.Task[None]":
        return asyncio.create_task(replying.run(exchange), name=f"session {owner.id} reply {exchange.number}")

    floor = Floor(
        clock=clock,
        teller=teller,
        putting_down=PuttingDown(around.journal, teller),
        conversation=conversation,
        mouth=mouth,
        first_audio=FirstAudio(clock, teller, meter, tones, lambda: nudging.due("reset")),
        budget=budget,
        start=start,
        on_closed=owner.exchange_closed,
    )
    context, scos = Context(conversation, engines.language, clock.clock, meter, tasks.spawn), Scos(owner.id)
    thinking = _thinking(around, conversation, context, scos, clock)
    replying, drafting = Replying(floor, thinking, speaking, meter, mouth.tell_progress), Drafting(start, meter)
    versions = Versions(spec, engines, clock, meter, lambda: owner.at_turn_boundary)
    turns = Turns(owner.id, owner.leg, clock, versions, len(conversation.questions()))
    conversing = Conversing(
        floor=floor,
        turns=turns,
        drafting=drafting,
        detector=engines.turns,
        over=(over := Overtalk(floor, turns, EchoCheck(engines.echo, speaker), meter, clock)),
        teller=teller,
        limits=limits,
        tasks=tasks,
        meter=meter,
        on_speech=nudging.settled,
        on_words=scos.heard,
        on_end=owner.hang_up,
        on_failure=owner.task_failed,
    )
    listening = _ears(spec, around, line, hearing, conversing, taping)
    over.listening = versions.listening = listening
    return Parts(
        teller, facing, mouth, floor, listening, versions, turns, drafting, conversing, nudging, tones, budget,
        context, scos, taping,
    )  # fmt: skip


def _thinking(
    around: Surroundings, conversation: Conversation, context: Context, scos: Scos, clock: SessionClock
) -> Thinking:
    return Thinking(
        language=around.engines.language,
        retriever=around.engines.retriever,
        conversation=conversation,
        context=context,
        scos=scos,
        clock=clock,
        meter=around.meter,
        load=around.load,
    )


def _ears(
    spec: AssistantSpec,
    around: Surroundings,
    line: Line | None,
    hearing: Hearing | None,
    conversing: Conversing,
    taping: Taping | None,
) -> Listening | None:
    if line is None or hearing is None or taping is None:
        return None
    settings = EarSettings.of(spec.turns, around.engines.turns.sound_s)
    microphone = Tapped(line.microphone, taping.heard)
    conversing.listening = Listening(microphone, around.engines.vad, hearing, settings, conversing)
    return conversing.listening


def _on_a_line(
    owner: Owner, tenant_id: str, around: Surroundings, clock: SessionClock, line: Line | None, teller: Teller
) -> tuple[Facing | None, Speaking | None, Taping | None]:
    """What there is of a session only where there is sound: face, voice and recording."""
    if line is None:
        return None, None, None
    track = around.engines.face.open(seed=zlib.crc32(owner.id.encode()) & 0xFFFF)  # the same on every worker
    facing = Facing(owner.id, track, clock, line, around.publisher, around.meter, around.load)
    taping = Taping(owner.id, tenant_id, owner.leg, clock, line.speaker, around.recorder, teller)
    return facing, Speaking(around.engines.voice, line.speaker, facing, clock), taping


def _prompts(owner: Owner, speaker: Speaker | None, clock: SessionClock, teller: Teller) -> tuple[Tones, Nudging]:
    """What is said without having been asked. A tone unmutes the page as a reply does."""

    def sounds() -> None:
        teller.control({"type": "reply", "reply": -1, "t_audio_ms": round(clock.now_ms(), 1)})

    def cue() -> None:
        teller.tell(EventKind.NOTICE, code="listening", text="I'm listening.")
        tones.listening()

    tones = Tones(speaker, sounds)
    return tones, Nudging(clock.clock, cue, owner.nudge)
