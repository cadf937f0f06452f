"""Live events of one session: numbered, stamped with the audio clock, told on the control channel and to watchers."""

import time
from typing import Any

from pipeline.contracts.dialogue import EventRecord
from pipeline.contracts.events import LASTING, Event, EventKind
from pipeline.core.clock import SessionClock
from pipeline.core.ports import Line
from pipeline.core.surroundings import Surroundings


class Teller:
    """The page hears an event on the data channel even when the channel layer is away; it keeps the first copy."""

    def __init__(
        self, session_id: str, tenant_id: str, leg: int, clock: SessionClock, line: Line | None, around: Surroundings
    ) -> None:
        self._session_id, self._tenant_id, self._leg = session_id, tenant_id, leg
        self._clock, self._line = clock, line
        self._publisher, self._journal = around.publisher, around.journal
        self._seq = 0
        self.turn = 0
        """Number of the turn under way; every event that names no other carries it."""

    def tell(self, kind: EventKind, *, turn: int | None = None, t_audio_ms: float | None = None, **data: Any) -> None:
        """`t_audio_ms`: where the sound that it is about stands on the session's clock; without it: now."""
        number = self.turn if turn is None else turn
        at_ms = self._clock.now_ms() if t_audio_ms is None else t_audio_ms
        event = Event(kind, self._session_id, self._leg, self._seq, number, at_ms, data).to_wire()
        if kind in LASTING:
            self._journal.record(self._kept(kind, number, at_ms, data))
        self._seq += 1
        self.control(event)
        self._publisher.event(self._session_id, event)

    def _kept(self, kind: EventKind, turn: int, at_ms: float, data: dict[str, Any]) -> EventRecord:
        named = ("event", self._session_id, self._tenant_id, self._leg, self._seq, turn)
        return EventRecord(*named, kind.value, time.time(), round(at_ms, 1), data)

    def control(self, message: dict[str, Any]) -> None:
        """A message for this visitor's page alone."""
        if self._line is not None:
            self._line.control(message)

    def beat(self) -> None:
        self.control({"type": "beat", "t_audio_ms": round(self._clock.now_ms(), 1)})
