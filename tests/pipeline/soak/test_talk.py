"""A reply without words is a failure that says why."""

from typing import Any

import pytest

from pipeline.contracts.events import EventKind
from pipeline.soak.call import Arrival
from pipeline.soak.talk import Conversation

DECIDED = Arrival(1.0, {"event": EventKind.STATE, "state": "THINKING"})


class Seen:
    """A call in which these events came after the decision."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self._events = events

    def seen(self, kind: str, after: Arrival | None = None, **fields: Any) -> Arrival | None:
        assert after is DECIDED
        wanted = {"event": kind, **fields}
        return next((Arrival(2.0, event) for event in self._events if wanted.items() <= event.items()), None)


CUT = {"event": EventKind.CANCEL, "reason": "SYSTEM_OVERLOAD"}
LATE = {"event": EventKind.NOTICE, "code": "turn_timeout"}


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((), ""),
        ((CUT,), " (cut: SYSTEM_OVERLOAD)"),
        ((CUT, LATE), " (the server had nothing to say within its limit)"),
        (({"event": EventKind.NOTICE, "code": "other"},), ""),
    ],
)
def test_why_a_reply_has_no_words(events: tuple[dict[str, Any], ...], why: str) -> None:
    call: Any = Seen(*events)
    repertoire: Any = None
    assert Conversation(call, repertoire, 0)._why_cut(DECIDED) == why
