"""The product's own sessions under the callers: `core.session.Session` with Silero and the fixed-delay engines.

Everything a session does is there: history, captions, events, face, journal, the two steps of an interruption,
speculation. Only the transport, the models behind the ports and the database are not.
"""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from benchmarks.inproc import engines
from benchmarks.inproc.caller import Caller
from benchmarks.inproc.line import Line
from benchmarks.inproc.run import Close, Open, main
from pipeline.contracts.audio import SpeechChunk
from pipeline.contracts.dialogue import LanguageRequest, Message, Passage, Record, Transcript
from pipeline.contracts.numbers import CONTEXT_TOKENS, EAR_RATE_HZ
from pipeline.contracts.spec import AssistantSpec, TurnSettings, VoiceSettings
from pipeline.contracts.wire import Offer
from pipeline.core.clock import MonotonicClock, SessionClock
from pipeline.core.patience import LATE_MS
from pipeline.core.ports import Engines, Pause
from pipeline.core.session import Session
from pipeline.core.surroundings import Surroundings
from pipeline.engines.echo import CorrelationEcho
from pipeline.engines.scripted import ScriptedFace
from pipeline.engines.silero import SileroVad
from pipeline.worker.collector import THRESHOLDS, Collector

STOP_MS = 192
"""Six VAD windows: as many as pipecat makes of 200 ms."""
SPEC = AssistantSpec(
    tenant_id="bench",
    tenant_name="Bench",
    assistant_id="bench",
    assistant_slug="bench",
    assistant_name="Robin",
    greeting="",
    persona="You answer questions.",
    turns=TurnSettings(endpoint_ms=STOP_MS - int(LATE_MS), patience="brisk"),
)


FIRST_WORD_MS = 550
"""Of sound fed, 300 ms from before the onset among it, until the first word shows in the partial text."""
WORD_MS = 300


class FixedHearing:
    """Knows what its caller says; asked for it, takes STT_S. Its partial text grows by a word each WORD_MS."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._fed_ms = 0.0

    def feed(self, pcm: bytes) -> None:
        self._fed_ms += len(pcm) / (EAR_RATE_HZ * 2) * 1000

    @property
    def partial(self) -> str:
        known = int((self._fed_ms - FIRST_WORD_MS) / WORD_MS) + 1 if self._fed_ms >= FIRST_WORD_MS else 0
        return " ".join(self._caller.words.split()[:known])

    async def so_far(self) -> Transcript:
        self._caller.asked()
        await asyncio.sleep(engines.STT_S)
        return Transcript(self._caller.words)

    async def finish(self) -> Transcript:
        self._fed_ms = 0.0
        return await self.so_far()

    def discard(self) -> None:
        self._fed_ms = 0.0

    async def close(self) -> None: ...


class Fixed:
    name = "fixed"

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class FixedAsr(Fixed):
    async def open(self, spec: AssistantSpec) -> FixedHearing:
        raise NotImplementedError("each session is given its own")


class FixedLanguage(Fixed):
    context_tokens = CONTEXT_TOKENS

    def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        return engines.tokens()

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        return None

    async def summarise(self, messages: Sequence[Message]) -> str:
        await asyncio.sleep(engines.FIRST_TOKEN_S)
        return "They asked about opening hours, prices and parking."


class NoDetector(Fixed):
    """Never sure: silence alone ends turns, after STOP_MS at the latest."""

    sound_s = 0.0

    async def completeness(self, pause: Pause) -> float:
        return 0.0


class FixedVoice(Fixed):
    async def speak(self, text: str, settings: VoiceSettings, *, owner: str = "") -> AsyncGenerator[SpeechChunk, None]:
        async with aclosing(engines.sound(text)) as chunks:
            async for pcm in chunks:
                yield SpeechChunk(pcm, engines.VOICE_RATE_HZ)


class NoRetriever:
    def prepare(self, spec: AssistantSpec) -> None: ...

    def search(self, spec: AssistantSpec, question: str, limit: int = 4) -> Sequence[Passage]:
        return ()


class CountingJournal:
    def __init__(self) -> None:
        self.records = 0

    def record(self, record: Record) -> None:
        self.records += 1


class Watcher:
    """The Publisher: tells each caller when its turn was decided."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    def event(self, session_id: str, event: dict[str, Any]) -> None:
        if event["event"] == "state" and event["state"] == "THINKING":
            self.callers[session_id].decided()

    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None: ...


class CountingMeter:
    """The Meter: anything that fails is shown at the end."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def failed(self, where: str) -> None:
        self.failures.append(where)

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _nothing(*args: Any, **kwargs: Any) -> None: ...


class NoLoad:
    """The Load of a worker that is not pressed."""

    max_tokens = 512
    terse = False
    essential_tools_only = False
    face_stride = 1


async def engines_started() -> Engines:
    """Loaded as a worker does it: what is alive then is frozen, and the collector set as the product's."""
    vad = SileroVad()
    await vad.start()
    gc.set_threshold(*THRESHOLDS)
    Collector().freeze()
    return Engines(
        vad=vad,
        asr=FixedAsr(),
        turns=NoDetector(),
        echo=CorrelationEcho(),
        retriever=NoRetriever(),
        language=FixedLanguage(),
        voice=FixedVoice(),
        face=ScriptedFace(),
    )


def session_on(
    line: Any, name: str, spec: AssistantSpec, clock: SessionClock, around: Surroundings, hearing: Any
) -> Session:
    """The first leg of a session that has just been offered; `run` it."""
    offer = Offer(name, 1, spec.to_manifest(), "v=0", "bench", 0.0, [], time.time())
    return Session(offer, spec, clock, around, line, hearing)


async def prepare(hearing: type[FixedHearing] = FixedHearing) -> Open:
    watcher, clock = Watcher(), MonotonicClock()
    around = Surroundings("bench", await engines_started(), CountingJournal(), watcher, CountingMeter(), NoLoad())

    async def open_session(caller: Caller) -> Close:
        name = f"s{len(watcher.callers)}"
        watcher.callers[name] = caller
        session_clock = SessionClock(clock, time.time(), time.time())
        line = Line(caller, session_clock.now_ms)
        session = session_on(line, name, SPEC, session_clock, around, hearing(caller))
        running = asyncio.create_task(session.run(), name=name)
        await asyncio.sleep(0)
        line.on_control({"type": "face", "on": False})  # voice mode: the peers have no face either
        caller.hear = line.microphone.hear

        async def close() -> None:
            session.hang_up("hangup")
            await running

        return close

    return open_session


if __name__ == "__main__":
    main(prepare)
