"""From the microphone to utterances: VAD on every window, endpointing on audio time, the recogniser during speech."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from pipeline.contracts.audio import Sound
from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS, VAD_WINDOW_SAMPLES
from pipeline.contracts.spec import TurnSettings
from pipeline.core.endpointing import Endpointing, Signal
from pipeline.core.ports import Hearing, Microphone, VadStream

WINDOW_BYTES = VAD_WINDOW_SAMPLES * 2
WINDOW_MS = VAD_WINDOW_SAMPLES / EAR_RATE_HZ * 1000.0
PREROLL_MS = 300
"""Sound from before the onset was certain; without it the recogniser misses the first consonant."""
PARTIAL_EVERY_MS = 100
FINAL_LIMIT_S = 10.0
"""A recogniser that has not said its last word by then has failed; the visitor waits for an answer."""


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """The visitor's turn is over, as far as silence can tell."""

    speech_ms: float
    silence_ms: float
    """What was waited for since the last speech: the endpoint part of the response gap."""
    t_audio_ms: float
    """Where the last speech ended."""


class Listener(Protocol):
    """Who is told. All three are called on the loop and may not block."""

    def speech_started(self, t_audio_ms: float) -> None: ...
    def partial(self, text: str, t_audio_ms: float) -> None: ...
    def speech_ended(self, end: UtteranceEnd) -> None: ...


class Listening:
    """Reads one microphone to its end. `run` raises StreamEnded when the sound is over, EngineError when VAD fails."""

    def __init__(
        self, microphone: Microphone, vad: VadStream, hearing: Hearing, settings: TurnSettings, listener: Listener
    ) -> None:
        self.hearing = hearing
        """May be replaced by another between two utterances."""
        self._finishing = asyncio.Lock()
        self._microphone = microphone
        self._vad = vad
        self._listener = listener
        self._ends = Endpointing(settings.min_speech_ms, settings.endpoint_ms)
        preroll = int((PREROLL_MS + settings.min_speech_ms) / PACKET_MS)
        self._before: deque[bytes] = deque(maxlen=preroll)
        self._window = bytearray()
        self._since_partial_ms = 0.0
        self._last_partial = ""

    @property
    def busy(self) -> bool:
        """The visitor speaks, or what was said is still being made out."""
        return self._ends.speaking or self._finishing.locked()

    async def final(self) -> Transcript:
        """The words of the utterance that has just ended. Utterances come out in order. Raises EngineError."""
        async with self._finishing:
            try:
                async with asyncio.timeout(FINAL_LIMIT_S):
                    return await self.hearing.finish()
            except TimeoutError as error:
                raise EngineError("asr", "the recogniser did not finish in time") from error

    async def run(self) -> None:
        while True:
            await self._frame(await self._microphone.read())

    async def _frame(self, sound: Sound) -> None:
        if self._ends.speaking:
            self.hearing.feed(sound.pcm)
            self._look_for_partial(sound)
        else:
            self._before.append(sound.pcm)
        self._window += sound.pcm
        while len(self._window) >= WINDOW_BYTES:
            window = bytes(self._window[:WINDOW_BYTES])
            del self._window[:WINDOW_BYTES]
            self._signal(self._ends.process(WINDOW_MS, await self._vad.probability(window)), sound)

    def _signal(self, signal: Signal | None, sound: Sound) -> None:
        if signal is Signal.SPEECH_STARTED:
            for pcm in self._before:
                self.hearing.feed(pcm)
            self._before.clear()
            self._last_partial, self._since_partial_ms = "", 0.0
            self._listener.speech_started(sound.t_audio_ms + PACKET_MS - self._ends.speech_ms)
        elif signal is Signal.SPEECH_ENDED:
            silence = self._ends.silence_ms
            t_end = sound.t_audio_ms + PACKET_MS - silence
            end = UtteranceEnd(self._ends.speech_ms, silence, t_end)
            self._ends.reset()
            self._listener.speech_ended(end)

    def _look_for_partial(self, sound: Sound) -> None:
        self._since_partial_ms += PACKET_MS
        if self._since_partial_ms < PARTIAL_EVERY_MS:
            return
        self._since_partial_ms = 0.0
        text = self.hearing.partial
        if text and text != self._last_partial:
            self._last_partial = text
            self._listener.partial(text, sound.t_audio_ms + PACKET_MS)

    def forget(self) -> None:
        """What is being said is no longer waited for (the visitor typed instead)."""
        if self._ends.speaking:
            self.hearing.discard()
        self._ends.reset()
