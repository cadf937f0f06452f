"""One turn while it is under way: what the visitor said, the reply taking shape, and the latencies on the way."""

import asyncio
import time
from dataclasses import dataclass, field

from pipeline.contracts.dialogue import CancelReason, Origin, Passage, Transcript, TurnRecord, TurnTimings
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.timeline import Timeline


@dataclass(slots=True)
class Exchange:
    """Mutable, owned by the session's floor; becomes a TurnRecord when it is over."""

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
    visitor: Transcript = field(default_factory=lambda: Transcript(""))
    timings: TurnTimings = field(default_factory=TurnTimings)
    timeline: Timeline = field(default_factory=Timeline)
    passages: tuple[Passage, ...] = ()
    started_at: float = field(default_factory=time.time)
    planned: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Resolves with the whole reply's text as soon as it has been thought; with what there is when cut."""
    words: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Resolves when the visitor's words are known (True), or that there were none, only noise (False)."""
    over: bool = False
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
            interrupted=cancelled is not None,
            cancel_reason=cancelled.value if cancelled else "",
            warmup=self.warmup,
            ended_at=time.time() if finished else 0.0,
            timings=self.timings.to_wire() if finished else {},
            passages=tuple((p.id, round(p.score, 3)) for p in self.passages) if finished else (),
        )

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
