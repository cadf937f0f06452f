"""Scripted twins of all engines: they do what they were told after the delays they were given, and nothing by chance.

For tests, the demo and the soak: a fault in a conversation that shows with these is not a model's.
`sleep` is asyncio's unless a test brings its clock's.
"""

import asyncio
import math
import re
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from typing import Final

from pipeline.contracts.audio import PhonemeMark, SpeechChunk, WordMark
from pipeline.contracts.dialogue import LanguageRequest, Transcript
from pipeline.contracts.face import INDEX, NEUTRAL, Pose
from pipeline.contracts.numbers import EAR_RATE_HZ, FACE_EASE_MS
from pipeline.contracts.spec import AssistantSpec, VoiceSettings

Sleep = Callable[[float], Awaitable[None]]


class _Scripted:
    """What every engine has; a script needs no loading."""

    name = "scripted"

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        return None


class ScriptedVad(_Scripted):
    """Loud is speech: 1.0 for a window whose root mean square reaches `threshold`, else 0.0. A tone will do."""

    def __init__(self, *, threshold: int = 500) -> None:
        self._threshold = threshold

    def open(self) -> "ScriptedVadStream":
        return ScriptedVadStream(self._threshold)


class ScriptedVadStream:
    def __init__(self, threshold: int) -> None:
        self._threshold = threshold

    async def probability(self, window: bytes) -> float:
        samples = array("h", window)
        mean_square = sum(sample * sample for sample in samples) / max(len(samples), 1)
        return 1.0 if mean_square >= self._threshold**2 else 0.0

    def close(self) -> None:
        return None


class ScriptedAsr(_Scripted):
    """Every session's utterances are `lines`, one after the other, over and over; `finish` takes `delay_ms`.

    While sound is fed the partial shows one more word each `word_ms` of it. No sound: nothing was understood.
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

    @property
    def _line(self) -> str:
        return self._lines[self._utterance % len(self._lines)] if self._lines else ""

    def feed(self, pcm: bytes) -> None:
        self._fed_ms += len(pcm) / 2 / EAR_RATE_HZ * 1000

    @property
    def partial(self) -> str:
        return " ".join(self._line.split()[: int(self._fed_ms / self._word_ms)])

    async def finish(self) -> Transcript:
        line, heard = self._line, self._fed_ms > 0
        self._fed_ms = 0.0
        await _pause(self._sleep, self._delay_ms)
        if not heard:
            return Transcript("")
        self._utterance += 1
        return Transcript(line, self._confidence)

    def discard(self) -> None:
        self._fed_ms = 0.0

    async def close(self) -> None:
        return None


class ScriptedLanguage(_Scripted):
    """`replies` in order over all sessions, over and over; without any it says what it was asked."""

    def __init__(
        self,
        *,
        replies: Sequence[str] = (),
        first_token_ms: float = 0,
        per_token_ms: float = 0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._replies = tuple(replies)
        self._first_token_ms, self._per_token_ms, self._sleep = first_token_ms, per_token_ms, sleep
        self._asked = 0

    async def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        """Word by word."""
        text = self._replies[self._asked % len(self._replies)] if self._replies else f"You said: {request.question}"
        self._asked += 1
        await _pause(self._sleep, self._first_token_ms)
        for i, token in enumerate(re.findall(r"\s*\S+", text)):
            if i:
                await _pause(self._sleep, self._per_token_ms)
            yield token


class ScriptedVoice(_Scripted):
    """A tone of `char_ms` for each character; each word begins a word mark, each letter a phoneme mark."""

    def __init__(
        self,
        *,
        char_ms: float = 60,
        first_audio_ms: float = 0,
        chunk_ms: int = 40,
        tone_hz: float = 220,
        rate_hz: int = 16_000,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._char_ms, self._first_audio_ms, self._chunk_ms = char_ms, first_audio_ms, chunk_ms
        self._tone_hz, self._rate_hz, self._sleep = tone_hz, rate_hz, sleep

    async def speak(self, text: str, settings: VoiceSettings) -> AsyncGenerator[SpeechChunk, None]:
        await _pause(self._sleep, self._first_audio_ms)
        for chunk in self._chunks(text):
            yield chunk

    def _chunks(self, text: str) -> Iterator[SpeechChunk]:
        words = [
            WordMark(word.start(), len(word.group()), word.start() * self._char_ms)
            for word in re.finditer(r"\S+", text)
        ]
        phonemes = [PhonemeMark(_phoneme(c), i * self._char_ms) for i, c in enumerate(text)]
        begin, length = 0, int(len(text) * self._char_ms * self._rate_hz / 1000)
        step = self._rate_hz * self._chunk_ms // 1000
        while begin < length:
            end = min(begin + step, length)
            low_ms, high_ms = begin * 1000 / self._rate_hz, end * 1000 / self._rate_hz
            yield SpeechChunk(
                pcm=self._tone(begin, end),
                rate_hz=self._rate_hz,
                phonemes=tuple(mark for mark in phonemes if low_ms <= mark.t_ms < high_ms),
                words=tuple(mark for mark in words if low_ms <= mark.t_ms < high_ms),
            )
            begin = end

    def _tone(self, begin: int, end: int) -> bytes:
        turn = 2 * math.pi * self._tone_hz / self._rate_hz
        return array("h", (int(8000 * math.sin(turn * i)) for i in range(begin, end))).tobytes()


_PHONEMES: Final = dict.fromkeys("bmp", "m") | dict.fromkeys("aeiouy", "a")


def _phoneme(character: str) -> str:
    """Lips closed, open, or neither: enough for a face to be seen moving."""
    return _PHONEMES.get(character.lower(), "t") if character.isalnum() else "_"


class ScriptedFace(_Scripted):
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


async def _pause(sleep: Sleep, delay_ms: float) -> None:
    if delay_ms > 0:
        await sleep(delay_ms / 1000)
