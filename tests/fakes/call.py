"""A session with fakes all around it, and verbs for what a visitor does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.wire import Offer
from pipeline.core.clock import SessionClock
from pipeline.core.ports import Engines
from pipeline.core.session import Session
from pipeline.core.surroundings import Surroundings
from tests.fakes.clock import FakeClock
from tests.fakes.line import FakeLine
from tests.fakes.machine import (
    SILENCE,
    SPEECH,
    AtOnce,
    FakeAsr,
    FakeEcho,
    FakeFace,
    FakeJournal,
    FakeLanguage,
    FakeLoad,
    FakePublisher,
    FakeRetriever,
    FakeTurnDetector,
    FakeVad,
    FakeVoice,
    a_spec,
)
from tests.fakes.meter import FakeMeter
from tests.fakes.tape import FakeRecorder


@dataclass
class FakeCall:
    """A session with everything around it, and verbs for what a visitor does."""

    clock: FakeClock
    session: Session
    line: FakeLine | None
    asr: FakeAsr
    language: FakeLanguage
    voice: FakeVoice
    face: FakeFace
    journal: FakeJournal
    publisher: FakePublisher
    meter: FakeMeter
    detector: FakeTurnDetector
    vad: FakeVad
    recorder: FakeRecorder

    async def say(self, ms: float, pcm: bytes = SPEECH) -> None:
        """The visitor makes this sound for so long, in fake real time."""
        assert self.line is not None
        for _ in range(int(ms / 20)):
            self.line.microphone.push(pcm)
            self.line.last_heard = self.clock.now()
            await self.clock.advance(0.02)

    async def hush(self, ms: float) -> None:
        await self.say(ms, SILENCE)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.publisher.events if e["event"] == kind]

    def states(self) -> list[str]:
        return [e["state"] for e in self.events("state")]


async def a_call(
    lines: Sequence[str | Exception] = (),
    *,
    in_writing: bool = False,
    history: Sequence[list[str]] = (),
    leg: int = 1,
    record: bool = False,
    **spec: Any,
) -> FakeCall:
    clock = FakeClock()
    asr, language, voice, face = FakeAsr(clock, list(lines)), FakeLanguage(clock), FakeVoice(), FakeFace()
    journal, publisher, meter = FakeJournal(), FakePublisher(), FakeMeter()
    vad, detector = FakeVad(), FakeTurnDetector()
    engines = Engines(vad, asr, detector, FakeEcho(), FakeRetriever(), language, voice, face, AtOnce())
    around = Surroundings("w1", engines, journal, publisher, meter, FakeLoad(), recorder := FakeRecorder())
    the_spec = a_spec(**spec)
    line = None if in_writing else FakeLine(clock)
    offer = Offer(
        "s1", leg, the_spec.to_manifest(), "" if in_writing else "v=0", "r", 0.0, [list(h) for h in history], 0.0,
        record=record,
    )  # fmt: skip
    hearing = None if in_writing else await asr.open(the_spec)
    session = Session(offer, the_spec, SessionClock(clock, 0.0, 0.0), around, line, hearing)
    fakes = (asr, language, voice, face, journal, publisher, meter, detector, vad, recorder)
    return FakeCall(clock, session, line, *fakes)
