"""Fakes of every port of the conversation, on a fake clock: no engine, no network, no waiting."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.audio import PhonemeMark, SpeechChunk, WordMark
from pipeline.contracts.dialogue import LanguageRequest, Message, Passage, Record, Transcript, TurnRecord
from pipeline.contracts.errors import EngineError
from pipeline.contracts.face import NEUTRAL, Pose
from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.contracts.spec import AssistantSpec, VoiceSettings
from pipeline.core.ports import Pause
from pipeline.core.threads import T, Threads
from tests.fakes.clock import FakeClock

SPEECH = b"\x10\x20" * 320
SILENCE = b"\x00\x00" * 320
WORD_MS = 200.0


def a_spec(**changes: Any) -> AssistantSpec:
    fields: dict[str, Any] = {
        "tenant_id": "t1",
        "tenant_name": "Riverside Vet Clinic",
        "assistant_id": "a1",
        "assistant_slug": "reception",
        "assistant_name": "Robin",
        "greeting": "",
        "persona": "You are Robin.",
    }
    return AssistantSpec(**{**fields, **changes})


class FakeVadStream:
    """Answers within `feed`; whatever is not silence is speech, but for a murmur of samples of 1, which may be."""

    def __init__(self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]) -> None:
        self._on_probability, self.fail = on_probability, on_failure
        self.is_closed = False

    def feed(self, window: bytes) -> None:
        loudest = max(window)
        self._on_probability(1.0 if loudest > 1 else 0.2 * loudest)

    def close(self) -> None:
        self.is_closed = True


class FakeVad:
    name = "fake"

    def __init__(self) -> None:
        self.opened: list[FakeVadStream] = []

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def open(self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]) -> FakeVadStream:
        self.opened.append(FakeVadStream(on_probability, on_failure))
        return self.opened[-1]


class FakeTurnDetector:
    """Says how complete a turn is by its text; what it does not know is complete."""

    name = "fake"
    sound_s = 1.0

    def __init__(self) -> None:
        self.known: dict[str, float] = {}
        self.asked: list[Pause] = []
        self.fails = False

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def completeness(self, pause: Pause) -> float:
        self.asked.append(pause)
        if self.fails:
            raise EngineError("turns", "the model is gone")
        return self.known.get(pause.text, 1.0)


class FakeEcho:
    """What the microphone brings is our echo when the speaker's `echo` is in it."""

    def likeness(self, heard: bytes, reference: bytes, reference_hz: int) -> float:
        return 1.0 if reference and reference[:64] in heard else 0.0


class AtOnce(Threads):
    """No thread: what blocks is done at once."""

    def __init__(self) -> None:
        super().__init__("retriever", "indexing")

    async def run(self, work: Callable[..., T], *args: Any, owner: str = "") -> T:
        return work(*args)


class FakeLoad:
    """A Load that is as hard as a test says."""

    max_tokens = 512
    terse = False
    essential_tools_only = False
    face_stride = 1


class FakeHearing:
    def __init__(self, lines: list[str | Exception], clock: FakeClock, delay_s: float) -> None:
        self._lines, self._clock, self._delay_s = lines, clock, delay_s
        self.fed = 0
        self.discarded = 0
        self.most_at_once = self._at_once = 0
        """Calls of `finish` that were under way together."""
        self.is_closed = False

    def feed(self, pcm: bytes) -> None:
        self.fed += len(pcm)

    @property
    def partial(self) -> str:
        return str(self._lines[0]).split()[0] if self._lines and self._lines[0] else ""

    async def so_far(self) -> Transcript:
        await self._clock.sleep(self._delay_s)
        line = self._lines[0] if self._lines else ""
        if isinstance(line, Exception):
            raise line
        return Transcript(line, 0.9 if line else 0.0)

    async def finish(self) -> Transcript:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self._clock.sleep(self._delay_s)
        self._at_once -= 1
        line = self._lines.pop(0) if self._lines else ""
        if isinstance(line, Exception):
            raise line
        return Transcript(line, 0.9 if line else 0.0)

    def discard(self) -> None:
        self.discarded += 1
        if self._lines:
            self._lines.pop(0)

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class FakeAsr:
    clock: FakeClock
    lines: list[str | Exception] = field(default_factory=list)
    delay_s: float = 0.05
    name: str = "fake"
    opened: list[FakeHearing] = field(default_factory=list)
    fails: bool = False

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def open(self, spec: AssistantSpec) -> FakeHearing:
        if self.fails:
            raise EngineError("asr", "there is no model for this")
        self.opened.append(FakeHearing(self.lines, self.clock, self.delay_s))
        return self.opened[-1]


@dataclass
class FakeLanguage:
    clock: FakeClock
    reply_text: str = "We are open on Saturdays from nine until two. Anything else?"
    delay_s: float = 0.05
    fails: bool = False
    name: str = "fake"
    requests: list[LanguageRequest] = field(default_factory=list)
    aborted: int = 0
    context_tokens: int = CONTEXT_TOKENS
    counts: bool = False
    summary_delay_s: float = 0.2
    summary_fails: bool = False
    summarised: list[list[Message]] = field(default_factory=list)

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        self.requests.append(request)
        try:
            await self.clock.sleep(self.delay_s)
            if self.fails:
                raise EngineError("llm", "the server is gone")
            for word in self.reply_text.split(" "):
                yield word + " "
        except GeneratorExit:
            self.aborted += 1
            raise

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        return [len(text.split()) for text in texts] if self.counts else None

    async def summarise(self, messages: Sequence[Message]) -> str:
        self.summarised.append(list(messages))
        await self.clock.sleep(self.summary_delay_s)
        if self.summary_fails:
            raise EngineError("llm", "the server is gone")
        return f"Summary {len(self.summarised)}."


@dataclass
class FakeVoice:
    """200 ms a word, one chunk a word."""

    fails_after: int = 10**9
    name: str = "fake"

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def speak(self, text: str, settings: VoiceSettings, *, owner: str = "") -> AsyncGenerator[SpeechChunk, None]:
        at = 0
        for i, word in enumerate(text.split()):
            if self.fails_after <= 0:
                raise EngineError("tts", "the voice is gone")
            self.fails_after -= 1
            start = text.index(word, at)
            at = start + len(word)
            t_ms = i * WORD_MS
            pcm = b"\x01\x00" * int(16 * WORD_MS)
            yield SpeechChunk(pcm, 16_000, (PhonemeMark("a", t_ms),), (WordMark(start, len(word), t_ms),))


class FakeRetriever:
    def prepare(self, spec: AssistantSpec) -> None: ...

    def search(self, spec: AssistantSpec, question: str, limit: int = 4) -> Sequence[Passage]:
        return [Passage("f1", "hours", "We are open.", 0.8, "fact")]


class FakeFace:
    name = "fake"

    def __init__(self) -> None:
        self.flushes: list[float] = []
        self.added: list[tuple[float, float]] = []

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def open(self, seed: int) -> "FakeFace":
        return self

    def add(self, phonemes: Sequence[PhonemeMark], start_ms: float, end_ms: float) -> None:
        self.added.append((start_ms, end_ms))

    def pose(self, t_ms: float) -> Pose:
        return NEUTRAL

    def flush(self, t_ms: float) -> None:
        self.flushes.append(t_ms)


class FakeJournal:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)

    def turns(self, kind: str = "told") -> list[TurnRecord]:
        return [r for r in self.records if isinstance(r, TurnRecord) and r.kind == kind]


class FakePublisher:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []

    def event(self, session_id: str, event: dict[str, Any]) -> None:
        self.events.append(event)

    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None:
        self.frames.extend(frames)
