"""What all callers met, as it comes in: the one place where a run's figures are kept."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

FAILURES_KEPT = 200
"""Failures told in full in the report; the count goes on."""


@dataclass(slots=True)
class TurnMeasured:
    """One turn as its caller met it. Times in ms; None: did not happen or could not be measured."""

    caller: int
    at_s: float = 0.0
    """Seconds since the run began."""
    warmup: bool = False
    ttfa_ms: float | None = None
    """V1 at the client: THINKING event arrived → first audible sample."""
    gap_ms: float | None = None
    """V3: true end of the caller's speech → first audible sample."""
    barge_in_ms: float | None = None
    """V2: the server's speech-start (`t_event_ms` of its CANCEL) → last audible sample of the reply."""
    felt_barge_in_ms: float | None = None
    """The caller's own first word into the reply → last audible sample of the reply."""
    server: dict[str, float] = field(default_factory=dict)
    """The worker's own timings, from `turn.done`."""
    understood: bool = True
    """The final caption had words in it."""
    failure: str | None = None


class Tally:
    """Figures of a run. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.began_s = clock()
        self.turns: list[TurnMeasured] = []
        self.failures: Counter[str] = Counter()
        self.first_failures: list[dict[str, object]] = []
        self.live: set[int] = set()
        """Callers in a call now."""
        self.sessions = 0
        self.moves = 0
        """Offers again because the worker asked to."""
        self.losses = 0
        """Offers again because the connection went silent."""
        self.waits = 0
        """Times a caller was asked for patience (house full, rate limit)."""

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self.began_s

    def turn(self, turn: TurnMeasured) -> None:
        turn.at_s = round(self.elapsed_s, 2)
        self.turns.append(turn)
        if turn.failure:
            self.failed(turn.caller, turn.failure)

    def failed(self, caller: int, text: str) -> None:
        self.failures[text] += 1
        if len(self.first_failures) < FAILURES_KEPT:
            self.first_failures.append({"at_s": round(self.elapsed_s, 1), "caller": caller, "text": text})

    def steady(self, figure: str, last: int = 0) -> list[float]:
        """A figure's values in steady state: warm-up turns are left out. `last`: of that many turns (0: of all)."""
        return [value for _, value in self.steady_in_time(figure, last)]

    def steady_in_time(self, figure: str, last: int = 0) -> list[tuple[float, float]]:
        """(seconds, value) of a figure of `TurnMeasured`, or of `server.NAME`."""
        return [
            (turn.at_s, value)
            for turn in self.turns[-last:]
            if not turn.warmup and (value := figure_of(turn, figure)) is not None
        ]


def figure_of(turn: TurnMeasured, figure: str) -> float | None:
    """A figure by name: a field of TurnMeasured, or `server.NAME` for one of the worker's timings."""
    if figure.startswith("server."):
        return turn.server.get(figure.removeprefix("server."))
    return getattr(turn, figure)
