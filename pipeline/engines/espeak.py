"""Speech by espeak-ng: small, fast, no network, phonemes and words with their places in the sound.

The library lives in a child process (`espeak_child`). Synthesis runs far ahead of real time; the stream's window
(`child`) holds it back at some four seconds of sound that nobody has taken yet, plus one piece of the phrase.
"""

import logging
from collections.abc import AsyncGenerator
from typing import Any

from pipeline.contracts.audio import PhonemeMark, SpeechChunk, WordMark
from pipeline.contracts.spec import VoiceSettings
from pipeline.engines.child import Child
from pipeline.engines.speakable import LENGTH_LIMIT, Speakable, speakable

logger = logging.getLogger(__name__)

RATE_HZ = 22_050


class EspeakVoice:
    """Implements `core.ports.Voice`. Voices are espeak-ng's: en-us, en-gb, en-us+f3, ...; 80 to 450 words a minute."""

    name = "espeak"

    def __init__(self) -> None:
        self._child = Child("pipeline.engines.espeak_child", {}, engine="tts")

    async def start(self) -> None:
        """Raises EngineError when the library cannot be loaded."""
        await self._child.start()

    async def close(self) -> None:
        await self._child.close()

    async def speak(self, text: str, settings: VoiceSettings, *, owner: str = "") -> AsyncGenerator[SpeechChunk, None]:
        """Chunks of at most 60 ms, s16le mono at 22,050 Hz; none at all when nothing of the text can be spoken.

        Closing the iterator aborts synthesis in the child. Raises EngineError: the child died, or has no such voice.
        """
        spoken = speakable(text)
        if not spoken.text:
            return
        if len(text) > LENGTH_LIMIT:
            logger.warning("a phrase of %d characters is spoken up to %d", len(text), LENGTH_LIMIT)
        request = {"voice": settings.name, "rate_wpm": settings.rate_wpm}
        with await self._child.open(request, owner=owner) as call:
            for offset, piece in spoken.pieces():
                await call.send([offset, piece])
            call.end()
            last_start = -1
            async for item in call:
                chunk = _chunk(spoken, item, last_start)
                last_start = chunk.words[-1].start if chunk.words else last_start
                yield chunk


def _chunk(spoken: Speakable, item: Any, last_start: int) -> SpeechChunk:
    """`last_start`: where the last marked word begins in the given text ("$5" is two spoken words, but one mark)."""
    pcm, phonemes, words = item
    marks: list[WordMark] = []
    for position, characters, t_ms in words:
        start, length = spoken.origin(position, characters)
        if start > last_start:
            marks.append(WordMark(start, length, t_ms))
            last_start = start
    return SpeechChunk(pcm, RATE_HZ, tuple(PhonemeMark(symbol, t_ms) for symbol, t_ms in phonemes), tuple(marks))
