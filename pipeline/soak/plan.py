"""Who says what, when: a deterministic plan from a seed. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INTERRUPTED_SHARE = 3
"""Every third exchange is interrupted, at a place in each group of three that the seed decides."""
INTERRUPT_AFTER_S = (0.5, 1.5)
"""How far into the reply the caller cuts in."""
REST_LIMIT_S = 50.0
"""No caller is silent for longer: shorter than the shortest idle limit of an assistant (60 s)."""
JOIN_APART_S = 0.25
"""Callers join this far apart, so that a run does not begin with a burst that no real day has."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One thing to say, perhaps cutting into its answer with another."""

    line: str
    interruption: str | None
    interrupt_after_s: float
    rest_factor: float
    """0.8 to 1.2: how much longer or shorter than the duty cycle says the silence afterwards is."""


def exchanges(seed: int, caller: int, lines: Sequence[str], interruptions: Sequence[str]) -> Iterator[Exchange]:
    """An endless conversation. The same seed and caller give the same one on every machine."""
    chance = random.Random(f"{seed}/{caller}")
    while True:
        interrupted = chance.randrange(INTERRUPTED_SHARE)
        for place in range(INTERRUPTED_SHARE):
            yield Exchange(
                line=chance.choice(lines),
                interruption=chance.choice(interruptions) if place == interrupted else None,
                interrupt_after_s=round(chance.uniform(*INTERRUPT_AFTER_S), 3),
                rest_factor=round(chance.uniform(0.8, 1.2), 3),
            )


def rest_s(active_s: float, duty: float, factor: float) -> float:
    """Silence after an exchange of `active_s` so that a caller is active for `duty` (0 to 1) of the time."""
    return min(REST_LIMIT_S, active_s * (1 - duty) / duty * factor)
