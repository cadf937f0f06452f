"""One turn while it is under way: what the visitor said, the reply taking shape, and the latencies on the way."""

import asyncio
import time
from dataclasses import dataclass, field, replace

from pipeline.contracts.dialogue import CancelReason, Origin, Passage, Transcript, TurnRecord, TurnTimings
from pipeline.contracts.errors import ContextFull
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.timeline import Timeline


@dataclass(slots=True)
class Exchange:
    """Mutable. A draft (a reply prepared before the turn is known to be over) belongs to nobody until it is committed;
    from then on to the session's floor. It becomes a TurnRecord when it is over."""

    session_id: str
    leg: int
    number: int
    origin: Origin
    spec: AssistantSpec
    version: str
    t_audio_ms: float
    """Where the visitor's last word ended; typed or greeted: when it was decided."""
    decided_at: float
    """Clock seconds of the end-of-turn decision: TTFA counts from here."""
    warmup: bool
    """Steady state begins after 3 turns or 60 s of a session, whichever is first."""
    earlier: "Exchange | None" = None
    """The exchange that this one goes on from: its reply was taken back because the visitor was not done yet."""
    message_id: str = ""
    """Of a typed message that had one."""
    text: str = ""
    """A greeting's, or whatever else is said without having been asked."""
    visitor: Transcript = field(default_factory=lambda: Transcript(""))
    timings: TurnTimings = field(default_factory=TurnTimings)
    timeline: Timeline = field(default_factory=Timeline)
    passages: tuple[Passage, ...] = ()
    started_at: float = field(default_factory=time.time)
    planned: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Resolves with the whole reply's text as soon as it has been thought; with what there is when cut."""
    words: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Resolves when the visitor's words are known (True), or that there were none, only noise (False)."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Open: the reply may be heard. Shut before the commit, and while somebody speaks before it was heard."""
    task: "asyncio.Task[None] | None" = None
    """The reply's, of a draft."""
    committed: bool = False
    refusal: ContextFull | None = None
    """Why its reply is a refusal; the page hears of it when the turn is put down."""
    over: bool = False
    taken_back: bool = False
    fragment: str = ""
    """What had been heard of replies that were taken back in this turn."""
    cancelled: CancelReason | None = None
    """Why its reply was cut."""

    def said(self) -> TurnRecord:
        return self._record("said", "")

    def told(self, heard: str) -> TurnRecord:
        return self._record("told", heard)

    def _record(self, kind: str, heard: str) -> TurnRecord:
        finished, cancelled = kind == "told", self.cancelled
        return TurnRecord(
            kind=kind,
            session_id=self.session_id,
            tenant_id=self.spec.tenant_id,
            leg=self.leg,
            number=self.number,
            origin=self.origin.value,
            visitor_text=self.visitor.text,
            confidence=self.visitor.confidence,
            started_at=self.started_at,
            t_audio_ms=round(self.t_audio_ms, 1),
            version=self.version,
            reply_text=heard,
            fragment=self.fragment,
            interrupted=cancelled is not None,
            cancel_reason=cancelled.value if cancelled else "",
            warmup=self.warmup,
            ended_at=time.time() if finished else 0.0,
            timings=self.timings.to_wire() if finished else {},
            passages=tuple((p.id, round(p.score, 3)) for p in self.passages) if finished else (),
            message_id=self.message_id,
        )

    def commit(self) -> None:
        """It is our turn: the reply may be heard."""
        self.committed = True
        self.gate.set()

    def hear(self, transcript: Transcript) -> None:
        """The visitor's words: those of the turn's earlier part, whose reply was taken back, come first."""
        if self.earlier is not None and self.earlier.visitor.text:
            transcript = replace(transcript, text=f"{self.earlier.visitor.text} {transcript.text}".strip())
        self.visitor = transcript
        self.know_words(True)

    @property
    def words_known(self) -> bool:
        return self.words.done() and self.words.result()

    def know_words(self, understood: bool) -> None:
        if not self.words.done():
            self.words.set_result(understood)

    def thought(self, text: str) -> None:
        """The whole reply is known, long before all of it has sounded."""
        if not self.planned.done():
            self.planned.set_result(text)

    def settle(self) -> None:
        """Whoever waits for the reply's text gets what there is."""
        self.thought(self.timeline.planned)
