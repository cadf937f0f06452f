"""How hard a worker is pressed, as a level, and what each level costs whom (product contract, section 6). Pure.

The voice of running sessions is never made worse: the face gives way first, then the length of replies, then tools, and
last those who have not come in yet. A level is entered and left one step at a time.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.numbers import MAX_REPLY_TOKENS


class Level(enum.IntEnum):
    NORMAL = 0
    ANIMATION_YIELD = 1
    VERBOSITY_REDUCE = 2
    TOOL_REFUSE = 3
    SESSION_QUEUE = 4
    SESSION_REJECT = 5


@dataclass(frozen=True, slots=True)
class Pressure:
    """What is measured. None and 0 seats: not known, and no reason for anything."""

    ttfa_p95_ms: float | None = None
    """Rolling, of steady-state turns."""
    vram_share: float | None = None
    """Used share of the working cap, of the fullest GPU."""
    sessions: int = 0
    seats: int = 0
    error_share: float = 0.0
    animation_lag_ms: float = 0.0
    loop_lag_ms: float = 0.0
    """p95 of how late the event loop turns."""
    frame_share: float = 1.0
    """Audio packets that went out of those that were due."""

    def without_seats(self) -> "Pressure":
        """The strain alone. That seats are taken is no reason not to take the ones that are left."""
        return Pressure(
            self.ttfa_p95_ms, self.vram_share, 0, 0, self.error_share,
            self.animation_lag_ms, self.loop_lag_ms, self.frame_share,
        )  # fmt: skip


Steps = dict[Level, float]
L1, L2, L3, L4, L5 = list(Level)[1:]

# The table of the product contract. "Over" enters a level, except where >= is said.
TTFA_MS: Final[Steps] = {L2: 200.0, L3: 225.0, L4: 240.0, L5: 250.0}
"""The last one is reached at 250 ms itself."""
VRAM: Final[Steps] = {L1: 0.85, L2: 0.90, L3: 0.93, L4: 0.95, L5: 0.98}
SEATS_LEFT: Final[Steps] = {L2: 2, L4: 1, L5: 0}
"""So few seats are left, or fewer; never said of a worker that holds nobody."""
ERRORS: Final[Steps] = {L5: 0.05}
ANIMATION_LAG_MS: Final[Steps] = {L1: 120.0}

# Ours: an overloaded loop shows here first, and here alone when nobody finishes a turn.
LOOP_LAG_MS: Final[Steps] = {L1: 15.0, L2: 20.0, L3: 30.0, L4: 40.0, L5: 60.0}
"""A loop that is late by so much sends a packet so much later. 15: most of what the face may lag (V8: 25 ms). 20: one
packet. 40: with the packet's own 20 ms a gap of 60 ms, which is heard; nobody may be let in then. 60: three packets."""
FRAMES_MISSING: Final[Steps] = {L1: 0.01, L2: 0.02, L3: 0.03, L4: 0.04, L5: 0.10}
"""Of the packets that were due. 0.04 are two a second: 48 packets of 50."""

EASED: Final = 0.9
"""A level is left when every measure is below this share of what enters it (TTFA 200 ms: 180 ms)..."""
EASED_SEATS: Final = 1
"""... and so many more seats are free than the number that enters it."""
HOLD_S: Final = 10.0
"""... and has been for so long. The next step down waits as long again."""
RISE_S: Final = 1.0
"""Between two steps up; a measure must ask for the level this long before the first."""


def demanded(pressure: Pressure, *, ease: bool = False) -> tuple[Level, str]:
    """The highest level that a measure asks for, and which measure, in words. `ease`: the lower thresholds, by which
    levels are left."""
    asks = [*_over(pressure, EASED if ease else 1.0), _seats(pressure, EASED_SEATS if ease else 0)]
    level, why = max(asks, key=lambda ask: ask[0])
    return level, why if level else ""


def _over(p: Pressure, share: float) -> Iterator[tuple[Level, str]]:
    yield _highest(TTFA_MS, p.ttfa_p95_ms or 0.0, share, "time to first audio", reached=L5)
    yield _highest(VRAM, p.vram_share or 0.0, share, "graphics memory")
    yield _highest(ERRORS, p.error_share, share, "errors")
    yield _highest(ANIMATION_LAG_MS, p.animation_lag_ms, share, "animation lag")
    yield _highest(LOOP_LAG_MS, p.loop_lag_ms, share, "event loop lag")
    yield _highest(FRAMES_MISSING, 1.0 - p.frame_share, share, "missing audio packets")


def _highest(steps: Steps, value: float, share: float, name: str, reached: Level | None = None) -> tuple[Level, str]:
    over = [lv for lv, limit in steps.items() if value > limit * share or (lv is reached and value >= limit * share)]
    return max(over, default=Level.NORMAL), name


def _seats(p: Pressure, more: int) -> tuple[Level, str]:
    left = p.seats - p.sessions
    taken = [level for level, limit in SEATS_LEFT.items() if p.sessions > 0 and left <= limit + more]
    return max(taken, default=Level.NORMAL) if p.seats else Level.NORMAL, "seats taken"


class Ladder:
    """The level over time. `step` about once a second; not more than one rung a call, whatever is measured."""

    def __init__(self) -> None:
        self.level = Level.NORMAL
        self.why = ""
        """The measure that asks for this level, or last did."""
        self._higher_since: float | None = None
        self._lower_since: float | None = None

    def step(self, pressure: Pressure, now: float) -> Level:
        """`now`: clock seconds, never going back."""
        asked, why = demanded(pressure)
        self._higher_since = _since(self._higher_since, asked > self.level, now)
        self._lower_since = _since(self._lower_since, demanded(pressure, ease=True)[0] < self.level, now)
        if self._higher_since is not None and now - self._higher_since >= RISE_S:
            self._move(1, now)
        elif self._lower_since is not None and now - self._lower_since >= HOLD_S:
            self._move(-1, now)
        if asked >= self.level:
            self.why = why
        return self.level

    def _move(self, by: int, now: float) -> None:
        self.level = Level(self.level + by)
        self._higher_since = self._lower_since = now


def _since(since: float | None, holds: bool, now: float) -> float | None:
    """When it began to hold, if it does now."""
    if not holds:
        return None
    return now if since is None else since


# What a level means for a session ---------------------------------------------------------------------------------


def max_tokens(level: Level) -> int:
    """Of a reply."""
    if level >= Level.TOOL_REFUSE:
        return 256
    return 384 if level >= Level.VERBOSITY_REDUCE else MAX_REPLY_TOKENS


def terse(level: Level) -> bool:
    return level >= Level.VERBOSITY_REDUCE


def essential_tools_only(level: Level) -> bool:
    """`cancel`, `end_session` and `emergency_stop`."""
    return level >= Level.TOOL_REFUSE


def face_stride(level: Level) -> int:
    """Of the face's 30 frames a second every one is made, or every second one. Fewer would leave gaps of FACE_HOLD_MS,
    over which a face eases to neutral."""
    return 2 if level >= Level.ANIMATION_YIELD else 1
