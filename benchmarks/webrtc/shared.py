"""What the two processes know of each other, in shared memory: both read the same monotonic clock."""

from dataclasses import dataclass
from typing import Any

RING = 4096
"""Of send times, for each caller: 80 s."""


@dataclass(frozen=True, slots=True)
class Shared:
    sent_s: Any
    """Place * RING + n % RING: when a caller's packet n was sent."""
    decided_s: Any
    """By place: when the session decided last that its visitor's turn was over."""
    saying: Any
    """By place: index of what the caller says, so that the scripted recogniser knows it."""

    @classmethod
    def make(cls, context: Any, count: int) -> "Shared":
        return cls(
            context.RawArray("d", count * RING), context.RawArray("d", count), context.RawArray("i", [-1] * count)
        )
