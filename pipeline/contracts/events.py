"""What happened in a session, told live to whoever watches it (the page, the console).

An event's wire form is flat JSON: `{"event": KIND, "session_id", "seq", "turn", "t_audio_ms", ...}`. `seq` grows by one
per event within a leg of the session, so a client that hears an event on both the data channel and the websocket keeps
the first. Events may be lost (channel layers are at most once); the journal may not.
"""

import enum
from dataclasses import dataclass, field
from typing import Any


class EventKind(enum.StrEnum):
    STATE = "state"
    """`state`, and `reason` when INTERRUPTED."""
    PARTIAL = "caption.partial"
    """`text`: what the visitor seems to be saying."""
    FINAL = "caption.final"
    """`text`: what the visitor said (`origin` voice) or typed (chat); empty when not understood."""
    AGENT_TEXT = "agent.text"
    """`text`: the reply as far as it has sounded; `reply`."""
    TURN = "turn.done"
    """`text`: the reply as heard; `reply`, `interrupted`, `timings`, `warmup`, `turn_id`, `origin`."""
    CANCEL = "cancel"
    """The CANCEL message of the contract: `type` "CANCEL", `reason`, `t_event_ms`, `reply`."""
    RECORDING = "recording"
    """`on`: whether the call is being recorded from now on."""
    NOTICE = "notice"
    """`code`, `text`: something the visitor should know (draining, limit near)."""
    OVER_BUDGET = "budget.over"
    """`component`, `actual_ms`, `budget_ms`: a part of the latency budget was exceeded in this turn."""
    ERROR = "error"
    """`code`, `text`: something failed; the session goes on unless `fatal`."""
    ENDED = "ended"
    """`reason`."""


LASTING = frozenset(
    {
        EventKind.CANCEL,
        EventKind.RECORDING,
        EventKind.NOTICE,
        EventKind.OVER_BUDGET,
        EventKind.ERROR,
        EventKind.ENDED,
    }
)
"""What the history keeps beside the turns: what happened to them, not each step that they took."""


@dataclass(frozen=True, slots=True)
class Event:
    kind: EventKind
    session_id: str
    leg: int
    seq: int
    turn: int
    t_audio_ms: float
    data: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        return {
            **self.data,
            "event": self.kind.value,
            "session_id": self.session_id,
            "leg": self.leg,
            "seq": self.seq,
            "turn": self.turn,
            "t_audio_ms": round(self.t_audio_ms, 1),
        }
