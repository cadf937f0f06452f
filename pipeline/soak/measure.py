"""Arithmetic on what was heard: percentiles, straight lines, audible sound, the far side's clock. Pure."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contracts.numbers import WIRE_RATE_HZ

AUDIBLE_RMS = 180.0
"""A 5 ms piece at or above this (about -45 dBFS of 16 bit) is audible: far above Opus' own noise, far below speech."""
PIECE_SAMPLES = WIRE_RATE_HZ * 5 // 1000
ONSET_PIECES = 2
"""Sound begins where this many pieces in a row are audible: a single click is no speech."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile: the smallest value that at least `share` (0 to 1) of all are not above.

    Never between two measurements, so with few of them it errs to the strict side. None without values.
    """
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Trend:
    """Least squares through points in time."""

    per_s: float
    start: float
    """What the line says at the first point."""
    span_s: float
    points: int

    @property
    def rise(self) -> float:
        """From the first point to the last, along the line."""
        return self.per_s * self.span_s


def trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """The straight line through (seconds, value). None with fewer than two different times."""
    if len(points) < 2:
        return None
    times, values = np.array(points, dtype=float).T
    centred = times - times.mean()
    spread = float(centred @ centred)
    if spread <= 0.0:
        return None
    per_s = float(centred @ (values - values.mean())) / spread
    start = float(values.mean()) - per_s * float(times.mean() - times.min())
    return Trend(per_s, start, float(times.max() - times.min()), len(points))


def levels(samples: np.ndarray) -> list[float]:
    """RMS of each 5 ms piece of 48 kHz mono s16 samples; a rest shorter than a piece is left out."""
    whole = len(samples) // PIECE_SAMPLES * PIECE_SAMPLES
    pieces = samples[:whole].astype(np.float64).reshape(-1, PIECE_SAMPLES)
    return [float(level) for level in np.sqrt((pieces**2).mean(axis=1))]


class Ear:
    """When what arrives would sound to a listener who plays it at once, and where audible sound begins and ends.

    A packet that arrives while the one before still sounds waits for it; silence is where a player catches up.
    """

    def __init__(self) -> None:
        self.first_audible_s: float | None = None
        """Onset of the first sound since `arm()`, seconds on the caller's clock."""
        self.last_audible_s = -math.inf
        """End of the last audible piece so far."""
        self._played_until_s = -math.inf
        self._run = 0
        self._run_began_s = 0.0

    def arm(self) -> None:
        """From here on wait for the next onset. Sound that goes on already is not one."""
        self.first_audible_s = None
        self._run = 0

    def hear(self, samples: np.ndarray, arrived_s: float) -> None:
        """Take a decoded packet (48 kHz mono s16) that arrived now."""
        heard = [level >= AUDIBLE_RMS for level in levels(samples)]
        began_s = max(arrived_s, self._played_until_s) if any(heard) else arrived_s
        for index, audible in enumerate(heard):
            self._piece(audible, began_s + index * PIECE_SAMPLES / WIRE_RATE_HZ)
        self._played_until_s = began_s + len(samples) / WIRE_RATE_HZ

    def _piece(self, audible: bool, at_s: float) -> None:
        if not audible:
            self._run = 0
            return
        if self._run == 0:
            self._run_began_s = at_s
        self._run += 1
        self.last_audible_s = at_s + PIECE_SAMPLES / WIRE_RATE_HZ
        if self._run >= ONSET_PIECES and self.first_audible_s is None:
            self.first_audible_s = self._run_began_s


class FarClock:
    """The session's audio clock as seen from here: the fastest of the last beats tells the difference best."""

    def __init__(self) -> None:
        self._differences: deque[float] = deque(maxlen=60)

    def beat(self, t_audio_ms: float, arrived_s: float) -> None:
        self._differences.append(arrived_s - t_audio_ms / 1000)

    def local_s(self, t_audio_ms: float) -> float | None:
        """When that was on the caller's clock, late by no more than the fastest beat's way here. None before any."""
        return t_audio_ms / 1000 + min(self._differences) if self._differences else None
