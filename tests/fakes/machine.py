"""Fakes of every port of the conversation, on a fake clock: no engine, no network, no waiting."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.audio import PhonemeMark, Sound, SpeechChunk, WordMark
from pipeline.contracts.dialogue import LanguageRequest, Message, Passage, Record, Transcript, TurnRecord
from pipeline.contracts.errors import EngineError
from pipeline.contracts.face import NEUTRAL, Pose
from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.contracts.spec import AssistantSpec, VoiceSettings
from pipeline.core.ports import Pause
from pipeline.core.stream import Stream
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


class FakeMicrophone:
    def __init__(self) -> None:
        self._on_sound: Callable[[Sound], None] = lambda sound: None
        self._on_end: Callable[[], None] = lambda: None
        self._t_ms = 0.0

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        self._on_sound, self._on_end = on_sound, on_end

    def push(self, pcm: bytes) -> None:
        self._on_sound(Sound(pcm, self._t_ms))
        self._t_ms += 20

    def end(self) -> None:
        self._on_end()


class FakeSpeaker:
    """Plays in fake time; holds 300 ms. What was played goes back by REWIND_MS at a pause."""

    REWIND_MS = 60.0

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._queued_ms = 0.0
        self._played_ms = 0.0
        self._since: float | None = None
        """Clock seconds since when it plays; None: paused, flushed, or nothing yet."""
        self._begun = False
        self._on_first: Callable[[], None] = lambda: None
        self.flushed = self.paused = self.resumed = 0
        self.log: list[tuple[str, int]] = []
        """What was done, with the reply it was done to: begin, play, flush."""
        self._reply = 0
        self.echo = b""

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._reply, self._on_first = reply, on_first_packet
        self.log.append(("begin", reply))
        self._queued_ms = self._played_ms = 0.0
        self._since, self._begun = None, False

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        self.log.append(("play", self._reply))
        self._queued_ms += len(pcm) / 2 / rate_hz * 1000
        if not self._begun:
            self._begun, self._since = True, self._clock.now()
            self._on_first()
        while self._queued_ms - self.played_ms > 300:
            await self._clock.sleep(0.02)

    async def drain(self) -> None:
        while self.played_ms < self._queued_ms - 1e-6:
            await self._clock.sleep(0.02 if self._since is None else (self._queued_ms - self.played_ms) / 1000)

    @property
    def sounded(self) -> list[int]:
        """Replies whose sound went out, a number for each call of `play`."""
        return [reply for what, reply in self.log if what == "play"]

    def flush(self) -> float:
        self._played_ms, self._since = self.played_ms, None
        self._queued_ms = self._played_ms
        self.flushed += 1
        self.log.append(("flush", self._reply))
        return self._played_ms

    def pause(self) -> float:
        self._played_ms, self._since = max(0.0, self.played_ms - self.REWIND_MS), None
        self.paused += 1
        return self._played_ms

    def resume(self) -> None:
        self._since = self._clock.now()
        self.resumed += 1

    def reference(self, seconds: float) -> tuple[bytes, int]:
        return self.echo, 16_000

    @property
    def played_ms(self) -> float:
        if self._since is None:
            return self._played_ms
        return min(self._queued_ms, self._played_ms + (self._clock.now() - self._since) * 1000)


class FakeLine:
    def __init__(self, clock: FakeClock) -> None:
        self.microphone = FakeMicrophone()
        self.speaker = FakeSpeaker(clock)
        self.on_control: Callable[[dict[str, Any]], None] = lambda message: None
        self.told: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.candidates: list[str] = []
        self.is_closed = False
        self.last_heard = clock.now()
        self._end: Stream[str] = Stream(1)

    def control(self, message: dict[str, Any]) -> bool:
        self.told.append(message)
        return True

    def face(self, message: dict[str, Any]) -> bool:
        self.frames.append(message)
        return True

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        self.candidates.append(candidate)

    async def closed(self) -> str:
        return await self._end.get()

    def break_off(self, reason: str = "failed") -> None:
        self._end.offer(reason)

    async def close(self) -> None:
        self.is_closed = True

    def stats(self) -> dict[str, float]:
        return {}


class FakeVadStream:
    """Answers within `feed`; whatever is not silence is speech."""

    def __init__(self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]) -> None:
        self._on_probability, self.fail = on_probability, on_failure
        self.is_closed = False

    def feed(self, window: bytes) -> None:
        self._on_probability(1.0 if any(window) else 0.0)

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
