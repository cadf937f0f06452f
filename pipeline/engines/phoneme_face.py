"""A face that needs no GPU: the voice's phoneme marks, smoothed into ARKit shapes, and blinks.

How it moves. Phonemes make a staircase of mouth shapes over time (`visemes`). The mouth follows the staircase through a
moving average whose window is a raised cosine of ±75 ms, each step weighted by its viseme's dominance:

    pose(t) = sum_i d_i m_i(t) target_i / sum_i d_i m_i(t),    m_i(t) = share of the window that step i fills

So lips and jaw begin to move 75 ms before the sound (people: 60 to 80 ms before it), neighbouring sounds colour one
another, and the speed is bounded whatever comes (TOP_SPEED). Where marks end without a pause the last shape is held for
FACE_HOLD_MS and then eased to rest in FACE_EASE_MS, which is the width of the window.

What was promised for a moment may change after the pose of that moment was asked for: a chunk comes late, a reply
is flushed. The difference at that moment is then carried along and fades over FACE_EASE_MS, so the pose never snaps
("inertialization", D. Bollo, Game Developers Conference 2018).
"""

import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pipeline.contracts.audio import PhonemeMark
from pipeline.contracts.face import INDEX, NEUTRAL, Pose
from pipeline.contracts.numbers import FACE_EASE_MS, FACE_HOLD_MS
from pipeline.engines.visemes import MAX_DOMINANCE, MIN_DOMINANCE, REST, SHAPE_INDICES, SHAPES, Viseme, visemes

REACH_MS: Final = FACE_EASE_MS / 2
"""Half of the window: how far ahead the mouth knows what comes, and how long it remembers what was."""
GLIDE_AT: Final = 0.55
"""Where in a diphthong its second shape begins."""
SEAM_MS: Final = 40.0
"""Chunks of one reply follow one another without a gap; where a clock that counts packets says otherwise by no more
than two of them, it is the clock that jitters."""
PAST_KEPT_MS: Final = 1000.0
FUTURE_KEPT_MS: Final = 120_000.0
"""More than this before the newest mark is gone even if nobody asks for poses: longer than any phrase."""

BLINK_MS: Final = 150.0
BLINK_SHUT_MS: Final = 60.0
BLINK_SLOT_MS: Final = 4000.0
"""One blink in each slot of this length, at random within it: fifteen a minute, as people do when they speak."""

TOP_SPEED: Final = 2 / REACH_MS * MAX_DOMINANCE / MIN_DOMINANCE + 1.5 / FACE_EASE_MS
"""Change per ms that no shape exceeds: all m_i together change by at most twice the window's peak, 1/REACH_MS; the
quotient of dominances is the worst that weighting can do; the residue fades by smoothstep."""

_Weights = tuple[float, ...]
_AT_REST: Final[_Weights] = (0.0,) * len(SHAPES)
_BLINKS: Final = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])


class Step(NamedTuple):
    """The mouth aims at `shapes`, one after the other, from `start_ms` to `end_ms`."""

    start_ms: float
    end_ms: float
    shapes: tuple[Viseme, ...]


class PhonemeFace:
    """Implements `core.ports.Face`."""

    name = "phoneme"

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to end."""

    def open(self, seed: int) -> "PhonemeTrack":
        return PhonemeTrack(seed)


class PhonemeTrack:
    """One session's face. Not for several threads."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._steps: list[Step] = []
        self._asked_ms = -math.inf
        self._residue = _AT_REST
        self._residue_ms = -math.inf

    def add(self, phonemes: Sequence[PhonemeMark], start_ms: float, end_ms: float) -> None:
        """See `core.ports.FaceTrack`. What was to last beyond `start_ms` ends there."""
        before = self._mouth(self._asked_ms)
        shift_ms = self._seam(start_ms)
        start_ms, end_ms = start_ms + shift_ms, end_ms + shift_ms
        self._cut(start_ms)
        if self._steps and start_ms - self._steps[-1].end_ms < FACE_HOLD_MS:
            self._steps[-1] = self._steps[-1]._replace(end_ms=end_ms)  # sounds on until the next phoneme
        for mark in sorted(phonemes, key=lambda mark: mark.t_ms):
            begin_ms = min(max(mark.t_ms + shift_ms, start_ms), end_ms)
            self._cut(begin_ms)
            self._steps.append(Step(begin_ms, end_ms, visemes(mark.symbol)))
        self._forget()
        self._carry(before, self._asked_ms)

    def pose(self, t_ms: float) -> Pose:
        """See `core.ports.FaceTrack`. What was more than a second ago is forgotten."""
        self._asked_ms = max(self._asked_ms, t_ms)
        pose = list(NEUTRAL)
        for index, weight in zip(SHAPE_INDICES, self._mouth(t_ms), strict=True):
            pose[index] = weight
        pose[_BLINKS[0]] = pose[_BLINKS[1]] = blink(self._seed, t_ms)
        return tuple(pose)

    def flush(self, t_ms: float) -> None:
        """See `core.ports.FaceTrack`. The mouth is at rest FACE_EASE_MS later."""
        before = self._mouth(t_ms)
        self._steps.clear()
        self._asked_ms = t_ms
        self._carry(before, t_ms)

    def _seam(self, start_ms: float) -> float:
        """What to add to the times of a chunk so that it follows the last one without gap or overlap."""
        gap_ms = start_ms - self._steps[-1].end_ms if self._steps else math.inf
        return -gap_ms if abs(gap_ms) <= SEAM_MS else 0.0

    def _cut(self, t_ms: float) -> None:
        while self._steps and self._steps[-1].start_ms >= t_ms:
            self._steps.pop()
        if self._steps and self._steps[-1].end_ms > t_ms:
            self._steps[-1] = self._steps[-1]._replace(end_ms=t_ms)

    def _forget(self) -> None:
        if self._steps:
            oldest_ms = max(self._asked_ms - PAST_KEPT_MS, self._steps[-1].end_ms - FUTURE_KEPT_MS)
            del self._steps[: bisect_left(self._steps, oldest_ms, key=lambda step: step.end_ms)]

    def _carry(self, before: _Weights, t_ms: float) -> None:
        """The plan has changed; at `t_ms` the mouth is nevertheless where it was."""
        self._residue = tuple(was - now for was, now in zip(before, self._planned(t_ms), strict=True))
        self._residue_ms = t_ms
        if max(map(abs, self._residue)) < 1e-9:
            self._residue = _AT_REST

    def _mouth(self, t_ms: float) -> _Weights:
        planned = self._planned(t_ms)
        if self._residue is _AT_REST or t_ms - self._residue_ms >= FACE_EASE_MS:
            return planned
        share = 1.0 - _smooth((t_ms - self._residue_ms) / FACE_EASE_MS)
        return tuple(
            min(max(weight + share * residue, 0.0), 1.0) for weight, residue in zip(planned, self._residue, strict=True)
        )

    def _planned(self, t_ms: float) -> _Weights:
        """The moving average of the staircase; what no step fills of the window is rest."""
        sums = [0.0] * len(SHAPES)
        filled = total = 0.0
        for start_ms, end_ms, viseme in self._window(t_ms):
            share = _below(end_ms - t_ms) - _below(start_ms - t_ms)
            filled += share
            total += share * viseme.dominance
            for i, target in viseme.shapes:
                sums[i] += share * viseme.dominance * target
        total += max(1.0 - filled, 0.0) * REST.dominance
        return tuple(value / total for value in sums) if filled else _AT_REST

    def _window(self, t_ms: float) -> Iterator[tuple[float, float, Viseme]]:
        """(start, end, viseme) of the steps within reach, latest first; a last shape is held over a gap."""
        until_ms = math.inf
        for i in range(bisect_left(self._steps, t_ms + REACH_MS, key=lambda step: step.start_ms) - 1, -1, -1):
            start_ms, end_ms, shapes = self._steps[i]
            if i + 1 < len(self._steps):
                until_ms = self._steps[i + 1].start_ms
            held_ms = min(until_ms, end_ms + FACE_HOLD_MS + REACH_MS)
            if held_ms <= t_ms - REACH_MS:
                return
            glide_ms = start_ms + GLIDE_AT * (end_ms - start_ms) if len(shapes) > 1 else held_ms
            yield start_ms, glide_ms, shapes[0]
            if len(shapes) > 1:
                yield glide_ms, held_ms, shapes[1]


def _below(distance_ms: float) -> float:
    """Share of the window below this distance from its middle: the raised cosine's integral."""
    x = min(max(distance_ms / REACH_MS, -1.0), 1.0)
    return 0.5 * (1.0 + x) + math.sin(math.pi * x) / (2.0 * math.pi)


def _smooth(x: float) -> float:
    """From 0 to 1 without a corner (smoothstep)."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def blink(seed: int, t_ms: float) -> float:
    """How far shut the eyes are: a function of seed and time alone. The lid falls faster than it rises."""
    slot = math.floor(t_ms / BLINK_SLOT_MS)
    begin_ms = slot * BLINK_SLOT_MS + random.Random(f"{seed}/{slot}").uniform(0.0, BLINK_SLOT_MS - BLINK_MS)
    since_ms = t_ms - begin_ms
    if since_ms < BLINK_SHUT_MS:
        return _smooth(since_ms / BLINK_SHUT_MS)
    return 1.0 - _smooth((since_ms - BLINK_SHUT_MS) / (BLINK_MS - BLINK_SHUT_MS))
