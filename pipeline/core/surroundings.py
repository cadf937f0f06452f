"""What the host hands to every session of its worker: engines, stores, counters, and how hard it is pressed."""

from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.contracts.dialogue import Record, Usage
from pipeline.contracts.recording import Recording
from pipeline.core.ports import Engines


class Journal(Protocol):
    def record(self, record: Record) -> None:
        """Keep this, whatever happens next. Returns when the operating system has it; does not wait for a database.

        Never raises: a disk that is full must not end a call.
        """
        ...


class Publisher(Protocol):
    """Live news for watchers. Never waits; what cannot be sent is dropped and counted."""

    def event(self, session_id: str, event: dict[str, Any]) -> None: ...
    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None: ...


class Tape(Protocol):
    """Sound of one call on its way to a file. Nothing here waits or raises: a disk that fails must not end a call."""

    @property
    def broken(self) -> bool:
        """It takes no more; what it took before is kept."""
        ...

    def write(self, visitor: bytes, agent: bytes, agent_hz: int) -> None:
        """As long a piece of both, mono s16le: the visitor at EAR_RATE_HZ, the assistant at `agent_hz`."""
        ...

    def close(self, *, keep: bool) -> None:
        """No more comes. Not kept: the file is deleted."""
        ...


class Recorder(Protocol):
    def open(self, recording: Recording) -> Tape | None:
        """None: there is no room for it now."""
        ...


class NoRecorder:
    """Of a worker that has nowhere to put recordings."""

    def open(self, recording: Recording) -> None:
        return None


class Meter(Protocol):
    """What the worker counts. Never raises."""

    def failed(self, where: str) -> None:
        """Something of a session failed; `where`: asr, llm, tts, face, reply, version, session, context."""
        ...

    def face_lag(self, lag_s: float) -> None:
        """How late a frame of the face was."""
        ...

    def prompt(self, tokens: int, *, speculative: bool = False) -> None:
        """How long a prompt was. `speculative`: of a reply that may never be told."""
        ...

    def usage(self, usage: Usage, *, speculative: bool = False) -> None:
        """What the language server counted for a reply."""
        ...

    def rollover(self, outcome: str) -> None:
        """Older turns were to become the Session State block: `done`, `failed`, or `late` (over the time limit)."""
        ...

    def signals(self, verbosity: float, clarification: float) -> None:
        """How a reply was to be worded (core.scos), 0 to 1 each; for aggregates only."""
        ...

    def speculation(self, outcome: str) -> None:
        """A reply was prepared before the turn was known to be over: `released`, or `discarded`."""
        ...

    def interruption(self, outcome: str) -> None:
        """Somebody seemed to speak over a reply: `cancelled` it, or it went on after `noise`, a `backchannel` or its
        own `echo`."""
        ...

    def spent(self, component: str, actual_ms: float) -> None:
        """What a component of the latency budget (contracts.numbers.BUDGET_MS) took in a turn."""
        ...

    def turn_timeout(self) -> None:
        """A turn was reset because nothing could be heard of its reply within FIRST_AUDIO_LIMIT_MS."""
        ...

    def face_yielded(self) -> None:
        """The face left frames out in favour of the voice."""
        ...


class Load(Protocol):
    """How hard the worker is pressed (product contract, section 6), as a session may know it."""

    @property
    def max_tokens(self) -> int:
        """Of a reply: 512, 384, 256 as the level rises."""
        ...

    @property
    def terse(self) -> bool:
        """Replies should be shorter than usual (level 2 and up)."""
        ...

    @property
    def essential_tools_only(self) -> bool:
        """Of the tools only `cancel`, `end_session` and `emergency_stop` may run (level 3 and up)."""
        ...

    @property
    def face_stride(self) -> int:
        """Every so manieth frame of the face is made: 1, or 2 from level 1 up."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    worker: str
    engines: Engines
    journal: Journal
    publisher: Publisher
    meter: Meter
    load: Load
    recorder: Recorder = NoRecorder()
