"""The latency budget of a turn (product contract, section 3): who used how much of it, and who too much."""

import logging
from collections.abc import Callable, Iterator

from pipeline.contracts.dialogue import TurnTimings
from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import BUDGET_MS
from pipeline.core.exchange import Exchange
from pipeline.core.surroundings import Meter
from pipeline.core.telling import Teller

CLIENT_MOST_MS = 60_000.0
"""A page may say what it likes; more than this it does not mean."""

log = logging.getLogger(__name__)


class Budget:
    """Of one session. A component over its share is counted, logged and told; the turn goes on."""

    def __init__(self, meter: Meter, teller: Teller, face_lag_ms: Callable[[], float]) -> None:
        self._meter = meter
        self._teller = teller
        self._face_lag_ms = face_lag_ms
        self._client: dict[str, float] = {}

    def page_says(self, message: dict[str, object]) -> None:
        """`rtt_ms` and `buffer_ms` as the page measured them; anything else in it is ignored."""
        for name, component, share in (("rtt_ms", "network", 0.5), ("buffer_ms", "client_buffer", 1.0)):
            value = message.get(name)
            if isinstance(value, int | float) and 0 <= value <= CLIENT_MOST_MS:
                self._client[component] = float(value) * share

    def account(self, exchange: Exchange) -> None:
        """Once a turn, when its reply can be heard."""
        for component, actual_ms in self._spent(exchange.timings):
            self._meter.spent(component, actual_ms)
            if actual_ms > BUDGET_MS[component]:
                log.info("over budget: %s took %.1f of %.1f ms", component, actual_ms, BUDGET_MS[component])
                self._teller.tell(
                    EventKind.OVER_BUDGET,
                    turn=exchange.number,
                    component=component,
                    actual_ms=round(actual_ms, 1),
                    budget_ms=BUDGET_MS[component],
                )

    def _spent(self, timings: TurnTimings) -> Iterator[tuple[str, float]]:
        measured = {
            "endpoint": timings.decision_ms,
            "llm": timings.llm_first_token_ms,
            "animation": self._face_lag_ms(),
            "packaging": timings.packaging_ms,
            **self._client,
        }
        yield from ((component, ms) for component, ms in measured.items() if ms is not None)
