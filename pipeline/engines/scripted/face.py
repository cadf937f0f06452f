"""A face whose jaw follows the sound."""

import math
from collections.abc import Sequence

from pipeline.contracts.audio import PhonemeMark
from pipeline.contracts.face import INDEX, NEUTRAL, Pose
from pipeline.contracts.numbers import FACE_EASE_MS
from pipeline.engines.scripted.script import Scripted


class ScriptedFace(Scripted):
    """The jaw is half open while anything sounds, shut FACE_EASE_MS later; no blinks."""

    def open(self, seed: int) -> "ScriptedFaceTrack":
        return ScriptedFaceTrack()


class ScriptedFaceTrack:
    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []

    def add(self, phonemes: Sequence[PhonemeMark], start_ms: float, end_ms: float) -> None:
        """Spans that touch become one; what is more than a minute old goes."""
        if self._spans and start_ms <= self._spans[-1][1]:
            start_ms = min(start_ms, self._spans.pop()[0])
        self._spans = [span for span in self._spans if span[1] > start_ms - 60_000]
        self._spans.append((start_ms, end_ms))

    def pose(self, t_ms: float) -> Pose:
        distance_ms = min((max(start - t_ms, t_ms - end, 0.0) for start, end in self._spans), default=math.inf)
        jaw = 0.5 * max(0.0, 1.0 - distance_ms / FACE_EASE_MS)
        return (*NEUTRAL[: INDEX["jawOpen"]], jaw, *NEUTRAL[INDEX["jawOpen"] + 1 :])

    def flush(self, t_ms: float) -> None:
        self._spans = [(start, min(end, t_ms)) for start, end in self._spans if start < t_ms]
