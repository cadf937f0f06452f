"""From the text of a reply to sound and face on one reply clock."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial

from pipeline.contracts.audio import PhonemeMark, SpeechChunk
from pipeline.core.clock import SessionClock
from pipeline.core.drawer import behind
from pipeline.core.exchange import Exchange
from pipeline.core.facing import Facing
from pipeline.core.ports import Speaker, Voice
from pipeline.core.timeline import duration_ms

MARKED_CHUNKS = 32
"""Marks of so many chunks are kept, more than the speaker holds: a face that was held takes them up again."""


class Speaking:
    """Says one reply. Cancelling the task that runs `say` stops synthesis; `Speaker.flush` stops the sound."""

    def __init__(self, voice: Voice, speaker: Speaker, face: Facing, clock: SessionClock) -> None:
        self._voice = voice
        self._speaker = speaker
        self._face = face
        self._clock = clock
        self._marks: deque[tuple[list[PhonemeMark], float, float]] = deque(maxlen=MARKED_CHUNKS)
        """Phonemes, start and end of what was queued last, on the reply clock."""

    async def say(self, exchange: Exchange, phrases: AsyncIterator[str], on_first_packet: Callable[[], None]) -> bool:
        """Speak the phrases to the end, nothing of it before the exchange's gate opens. False: there was nothing to
        hear. Raises EngineError from the voice."""
        begun = False
        async for phrase in phrases:
            asked_ms = self._clock.now_ms()
            exchange.timeline.begin_phrase(phrase)
            async with (
                aclosing(self._voice.speak(phrase, exchange.spec.voice, owner=exchange.spec.tenant_id)) as chunks,
                aclosing(behind(exchange.gate, chunks, partial(self._synthesised, exchange, asked_ms))) as released,
            ):
                phrase_start_ms = exchange.timeline.length_ms
                async for chunk in released:
                    if not begun:
                        self._begin(exchange, on_first_packet)
                        begun = True
                    await self._play(exchange, chunk, phrase_start_ms)
            exchange.timeline.end_phrase()
        if begun:
            await self._speaker.drain()
        return exchange.timeline.length_ms > 0

    def take_up_face(self) -> None:
        """After a hold: the mouth moves on with what is still to be heard."""
        played_ms = self._speaker.played_ms
        for marks, start_ms, end_ms in self._marks:
            if end_ms > played_ms:
                self._animate(marks, start_ms, end_ms)

    def _synthesised(self, exchange: Exchange, asked_ms: float) -> None:
        if exchange.timings.tts_first_audio_ms is None:
            exchange.timings.tts_first_audio_ms = self._clock.now_ms() - asked_ms

    def _begin(self, exchange: Exchange, on_first_packet: Callable[[], None]) -> None:
        self._marks.clear()
        begun_ms = self._clock.now_ms()

        def first_packet() -> None:
            exchange.timings.packaging_ms = self._clock.now_ms() - begun_ms
            on_first_packet()

        self._speaker.begin(exchange.number, first_packet)

    async def _play(self, exchange: Exchange, chunk: SpeechChunk, phrase_start_ms: float) -> None:
        start_ms = exchange.timeline.length_ms
        marks = [PhonemeMark(p.symbol, phrase_start_ms + p.t_ms) for p in chunk.phonemes]
        mouth = (marks, start_ms, start_ms + duration_ms(chunk))
        self._marks.append(mouth)
        self._animate(*mouth)
        exchange.timeline.add(chunk)
        await self._speaker.play(chunk.pcm, chunk.rate_hz)

    def _animate(self, marks: list[PhonemeMark], start_ms: float, end_ms: float) -> None:
        """Lay phonemes of the reply clock on the session's: what the speaker has yet to play sounds that much later."""
        zero_ms = self._clock.now_ms() - self._speaker.played_ms
        placed = [PhonemeMark(mark.symbol, zero_ms + mark.t_ms) for mark in marks]
        self._face.add(placed, zero_ms + start_ms, zero_ms + end_ms)
