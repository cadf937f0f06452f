"""From the text of a reply to sound and face on one reply clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from pipeline.contracts.audio import PhonemeMark, SpeechChunk
from pipeline.core.clock import SessionClock
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.ports import Speaker, Voice
from pipeline.core.timeline import duration_ms


class Speaking:
    """Says one reply. Cancelling the task that runs `say` stops synthesis; `Speaker.flush` stops the sound."""

    def __init__(self, voice: Voice, speaker: Speaker, face: Facing, clock: SessionClock) -> None:
        self._voice = voice
        self._speaker = speaker
        self._face = face
        self._clock = clock

    async def say(self, exchange: Exchange, phrases: AsyncIterator[str], on_first_packet: Callable[[], None]) -> bool:
        """Speak the phrases to the end. False: there was nothing to hear. Raises EngineError from the voice."""
        self._speaker.begin(exchange.number, on_first_packet)
        async for phrase in phrases:
            await self._phrase(exchange, phrase)
        await self._speaker.drain()
        return exchange.timeline.length_ms > 0

    async def _phrase(self, exchange: Exchange, phrase: str) -> None:
        timeline, asked_ms = exchange.timeline, self._clock.now_ms()
        timeline.begin_phrase(phrase)
        phrase_start_ms = timeline.length_ms
        async with aclosing(self._voice.speak(phrase, exchange.spec.voice)) as chunks:
            async for chunk in chunks:
                if exchange.timings.tts_first_audio_ms is None:
                    exchange.timings.tts_first_audio_ms = self._clock.now_ms() - asked_ms
                self._animate(chunk, phrase_start_ms, timeline.length_ms)
                timeline.add(chunk)
                await self._speaker.play(chunk.pcm, chunk.rate_hz)
        timeline.end_phrase()

    def _animate(self, chunk: SpeechChunk, phrase_start_ms: float, chunk_start_ms: float) -> None:
        """Lay the chunk's phonemes on the session's clock: what the speaker has yet to play sounds that much later."""
        zero_ms = self._clock.now_ms() - self._speaker.played_ms
        marks = [PhonemeMark(p.symbol, zero_ms + phrase_start_ms + p.t_ms) for p in chunk.phonemes]
        start_ms = zero_ms + chunk_start_ms
        self._face.add(marks, start_ms, start_ms + duration_ms(chunk))
