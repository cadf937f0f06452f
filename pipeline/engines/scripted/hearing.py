"""An ear that takes loud for speech, and a recogniser that knows what will be said."""

import asyncio
from array import array
from collections.abc import Callable, Sequence

from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines.scripted.script import Scripted, Sleep, pause

SILENCE = 300
"""A sample's value; nothing louder is silence to the scripted recogniser."""


class ScriptedVad(Scripted):
    """Loud is speech: 1.0 for a window whose root mean square reaches `threshold`, else 0.0. A tone will do."""

    def __init__(self, *, threshold: int = 500) -> None:
        self._threshold = threshold

    def open(
        self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]
    ) -> "ScriptedVadStream":
        return ScriptedVadStream(self._threshold, on_probability)


class ScriptedVadStream:
    """Answers within `feed` itself."""

    def __init__(self, threshold: int, on_probability: Callable[[float], None]) -> None:
        self._least = threshold**2
        self._on_probability = on_probability

    def feed(self, window: bytes) -> None:
        samples = array("h", window)
        mean_square = sum(sample * sample for sample in samples) / max(len(samples), 1)
        self._on_probability(1.0 if mean_square >= self._least else 0.0)

    def close(self) -> None:
        self._on_probability = lambda probability: None


class ScriptedAsr(Scripted):
    """Every session's utterances are `lines`, one after the other, over and over. No sound: nothing was understood.

    `finish` and `so_far` take `delay_ms`, but no time when nothing louder than `SILENCE` came since the last `so_far`.
    A `|` in a line is where the visitor pauses: the first `so_far` tells what stands before it, the next one after
    more sound what stands before the next. While sound is fed the partial shows one more word each `word_ms` of it.
    """

    def __init__(
        self,
        *,
        lines: Sequence[str] = ("What are your opening hours on Saturday?",),
        delay_ms: float = 0,
        word_ms: float = 300,
        confidence: float = 1.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._lines, self._confidence = tuple(lines), confidence
        self._delay_ms, self._word_ms, self._sleep = delay_ms, word_ms, sleep

    async def open(self, spec: AssistantSpec) -> "ScriptedHearing":
        return ScriptedHearing(self._lines, self._delay_ms, self._word_ms, self._confidence, self._sleep)


class ScriptedHearing:
    def __init__(
        self, lines: tuple[str, ...], delay_ms: float, word_ms: float, confidence: float, sleep: Sleep
    ) -> None:
        self._lines, self._confidence = lines, confidence
        self._delay_ms, self._word_ms, self._sleep = delay_ms, word_ms, sleep
        self._utterance = 0
        self._fed_ms = 0.0
        self._parts = 0
        """Of the line that have been told by `so_far`."""
        self._fresh = True
        """Something was said since the last `so_far`, or there was none."""

    @property
    def _line(self) -> list[str]:
        """In its parts."""
        line = self._lines[self._utterance % len(self._lines)] if self._lines else ""
        return [part.strip() for part in line.split("|")]

    def feed(self, pcm: bytes) -> None:
        self._fed_ms += len(pcm) / 2 / EAR_RATE_HZ * 1000
        self._fresh = self._fresh or max(array("h", pcm), default=0) > SILENCE

    @property
    def partial(self) -> str:
        return " ".join(" ".join(self._line).split()[: int(self._fed_ms / self._word_ms)])

    async def so_far(self) -> Transcript:
        if not self._fed_ms:
            return Transcript("")
        fresh, self._fresh = self._fresh, False
        self._parts += fresh
        text = " ".join(self._line[: self._parts])
        await pause(self._sleep, self._delay_ms if fresh else 0)
        return Transcript(text, self._confidence)

    async def finish(self) -> Transcript:
        text, heard, fresh = " ".join(self._line), self._fed_ms > 0, self._fresh
        self.discard()
        await pause(self._sleep, self._delay_ms if fresh else 0)
        if not heard:
            return Transcript("")
        self._utterance += 1
        return Transcript(text, self._confidence)

    def discard(self) -> None:
        self._fed_ms, self._parts, self._fresh = 0.0, 0, True

    async def close(self) -> None:
        return None
