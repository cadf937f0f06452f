"""A voice that is a tone."""

import asyncio
import math
import re
from array import array
from collections.abc import AsyncGenerator, Iterator
from typing import Final

from pipeline.contracts.audio import PhonemeMark, SpeechChunk, WordMark
from pipeline.contracts.spec import VoiceSettings
from pipeline.engines.scripted.script import Scripted, Sleep, pause


class ScriptedVoice(Scripted):
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

    async def speak(self, text: str, settings: VoiceSettings, *, owner: str = "") -> AsyncGenerator[SpeechChunk, None]:
        await pause(self._sleep, self._first_audio_ms)
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
