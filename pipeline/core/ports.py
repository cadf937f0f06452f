"""What the conversation needs from the outside, as Protocols. Engines and media implement them; tests bring fakes.

Rules for all of them: nothing here may block the event loop; heavy work goes to a thread or process of the engine's
own; cancellation of the calling task (or `aclose()` of an iterator) stops the work at once.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.contracts.audio import PhonemeMark, Sound, SpeechChunk
from pipeline.contracts.dialogue import LanguageRequest, Message, Passage, Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.face import Pose
from pipeline.contracts.spec import AssistantSpec, VoiceSettings
from pipeline.core.threads import Threads


class Clock(Protocol):
    """Time, so that tests need not sleep. Monotonic seconds; the zero is arbitrary."""

    def now(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class Engine(Protocol):
    """Every engine: `start()` loads (may take long, says so in its log), `close()` ends processes and threads."""

    name: str

    async def start(self) -> None: ...
    async def close(self) -> None: ...


class VadStream(Protocol):
    """One session's voice activity state."""

    def feed(self, window: bytes) -> None:
        """The next 512 samples (32 ms, 1024 bytes) at 16 kHz. Never waits: the answer comes to `on_probability`."""
        ...

    def close(self) -> None:
        """No answer comes any more."""
        ...


class Vad(Engine, Protocol):
    def open(self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]) -> VadStream:
        """`on_probability` is called on the loop with each window's speech probability 0 to 1, in order, soon (the
        windows of all sessions that wait are run in one call); `on_failure` once, after which nothing comes."""
        ...


class Hearing(Protocol):
    """One session's recogniser. Utterance after utterance: feed, feed, ..., finish (or discard)."""

    def feed(self, pcm: bytes) -> None:
        """16 kHz mono s16le of any length. Never blocks; the engine works through it elsewhere."""
        ...

    @property
    def partial(self) -> str:
        """The best guess so far for the utterance under way; empty before the first word."""
        ...

    async def so_far(self) -> Transcript:
        """The words of everything fed up to now, as good as a final; the utterance goes on. Raises EngineError."""
        ...

    async def finish(self) -> Transcript:
        """The utterance is over: its final text. The next feed begins a new utterance.

        Raises EngineError when the recogniser failed.
        """
        ...

    def discard(self) -> None:
        """Forget the utterance under way."""
        ...

    async def close(self) -> None: ...


class Asr(Engine, Protocol):
    async def open(self, spec: AssistantSpec) -> Hearing:
        """A recogniser that knows this version's own words. Raises EngineError."""
        ...


@dataclass(frozen=True, slots=True)
class Pause:
    """The visitor has fallen silent: all that is known of whether more will come."""

    text: str
    """What was said in this turn so far, as the recogniser has it."""
    pcm: bytes
    """The turn's last `TurnDetector.sound_s`, 16 kHz mono s16le, the silence at its end included."""
    speech_ms: float
    silence_ms: float
    unended: str = ""
    """`Transcript.unended` of that text."""


class TurnDetector(Engine, Protocol):
    sound_s: float
    """How much of the turn's sound it wants to hear; 0: none."""

    async def completeness(self, pause: Pause) -> float:
        """Probability 0 to 1 that the visitor has said all they wanted to. At most 15 ms of compute (V6), off the loop
        unless it is microseconds. Raises EngineError."""
        ...


class EchoDetector(Protocol):
    """Whether the microphone hears ourselves. Pure arithmetic of about a millisecond; nothing to start."""

    def likeness(self, heard: bytes, reference: bytes, reference_hz: int) -> float:
        """0 to 1: how much of `heard` (mono s16le, 16 kHz) is `reference` (mono s16le) a little later."""
        ...


class Retriever(Protocol):
    def prepare(self, spec: AssistantSpec) -> None:
        """Build what `search` needs for this version. May take long and be called in a thread; twice is once."""
        ...

    def search(self, spec: AssistantSpec, question: str, limit: int = 4) -> Sequence[Passage]:
        """Facts and documents for the question, best first, scores 0 to 1. Under 5 ms: called on the loop."""
        ...


class Language(Engine, Protocol):
    def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        """Pieces of the reply as they come. Closing the iterator aborts generation. Raises EngineError."""
        ...

    @property
    def context_tokens(self) -> int:
        """What fits into prompt and reply together, in tokens; CONTEXT_TOKENS where the engine knows no limit."""
        ...

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        """Tokens of each text by the model's own tokenizer, without what a chat template puts around it. None: the
        engine has none, now and later. Off the hot path. Raises EngineError."""
        ...

    async def summarise(self, messages: Sequence[Message]) -> str:
        """What must be remembered of these lines, in some 200 words. A `system` message at their head is an earlier
        such summary, to be carried on. Off the hot path. Raises EngineError."""
        ...


class Voice(Engine, Protocol):
    def speak(self, text: str, settings: VoiceSettings, *, owner: str = "") -> AsyncGenerator[SpeechChunk, None]:
        """The phrase as sound, streaming. `text` is spoken sanitised; word marks refer to `text` as given. `owner`: the
        tenant; an engine that many wait for is fair to tenants.

        Closing the iterator aborts synthesis. Raises EngineError.
        """
        ...


class FaceTrack(Protocol):
    """One session's face. Told what will sound and when; asked for the pose at a time. Pure arithmetic."""

    def add(self, phonemes: Sequence[PhonemeMark], start_ms: float, end_ms: float) -> None:
        """These phonemes (times absolute on the face's clock, ms) sound until `end_ms`."""
        ...

    def pose(self, t_ms: float) -> Pose:
        """The pose at this time: articulation, blinks, eased to neutral where nothing sounds. Never snaps."""
        ...

    def flush(self, t_ms: float) -> None:
        """Nothing of what was added after `t_ms` will sound (barge-in): ease to neutral from here."""
        ...


class Face(Engine, Protocol):
    def open(self, seed: int) -> FaceTrack:
        """`seed` sets the blinks' rhythm, so that tests repeat."""
        ...


class Microphone(Protocol):
    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        """From now on each 20 ms (16 kHz mono, 640 bytes) is handed over on the loop in the moment it is decoded; what
        came before is gone. Nothing is queued, so nothing can pile up. `on_end` once, when no more will come; at once
        if it already has. Neither may block or raise."""
        ...


class Speaker(Protocol):
    """The way out for agent audio. Paces itself at real time; keeps the reply clock by counting samples."""

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        """A new reply: its clock reads zero. `on_first_packet` runs when its first packet goes to the transport."""
        ...

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        """Queue sound of the current reply. Waits while the queue is full (it holds some 300 ms)."""
        ...

    async def drain(self) -> None:
        """Wait until all that was queued has gone to the transport."""
        ...

    def flush(self) -> float:
        """Drop what is queued, at once, also while paused. Returns the reply clock: ms of this reply that went out."""
        ...

    def pause(self) -> float:
        """Fall silent at once and keep what is queued. What a listener's jitter buffer will not have played by then is
        taken back, so that it sounds again: the reply clock goes back by it. Returns the reply clock."""
        ...

    def resume(self) -> None:
        """Go on from the paused sample. Does nothing when not paused."""
        ...

    def reference(self, seconds: float) -> tuple[bytes, int]:
        """(mono s16le, its rate in Hz): what went out during the last `seconds`, silence included, its last sample
        going out now. For telling our own echo from a visitor's voice."""
        ...

    @property
    def played_ms(self) -> float:
        """Reply clock: ms of the current reply that went to the transport."""
        ...


class Line(Protocol):
    """A visitor's connection: sound in, sound out, and the side channels. `media.peer` makes one from an SDP offer."""

    @property
    def microphone(self) -> Microphone: ...
    @property
    def speaker(self) -> Speaker: ...

    on_control: Callable[[dict[str, Any]], None]
    """Set by the session: called with every well-formed JSON object the visitor's page sends on `control`."""

    def control(self, message: dict[str, Any]) -> bool:
        """Send JSON on the reliable data channel `control`. False: not open, or its buffer is full (dropped)."""
        ...

    def face(self, message: dict[str, Any]) -> bool:
        """Send JSON on the lossy data channel `face`. False: dropped."""
        ...

    @property
    def last_heard(self) -> float:
        """Clock seconds at which anything at all (RTP, data) last came from the visitor."""
        ...

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        """Raises MediaError when it cannot be parsed."""
        ...

    async def closed(self) -> str:
        """Wait for the connection's end; returns the reason (failed, closed)."""
        ...

    async def close(self) -> None:
        """Ends within CLOSE_DEADLINE_S, whatever the libraries below do. May be called twice."""
        ...

    def stats(self) -> dict[str, float]:
        """Numbers for metrics: packets_in, packets_lost, jitter_ms, jitter_buffer_ms, packets_out and packets_due (with
        those that the loop was too late for). What is not known is left out."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """The models of one worker, shared by its sessions."""

    vad: Vad
    asr: Asr
    turns: TurnDetector
    echo: EchoDetector
    retriever: Retriever
    language: Language
    voice: Voice
    face: Face
    indexing: Threads = field(default_factory=lambda: Threads("retriever", "indexing"))

    async def know(self, spec: AssistantSpec) -> None:
        """Have the retriever know this version: built off the loop, one after the other, fair to tenants. Raises
        EngineError when too many wait."""
        await self.indexing.run(self.retriever.prepare, spec, owner=spec.tenant_id)
