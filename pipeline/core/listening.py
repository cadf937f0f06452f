"""From the microphone to utterances: VAD on every window, endpointing on audio time, the recogniser during speech.

Everything here happens in the call that brings the sound, or the VAD's answer: no task, no queue, nothing to wait for.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from pipeline.contracts.audio import Sound
from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS, VAD_WINDOW_SAMPLES
from pipeline.contracts.spec import TurnSettings
from pipeline.core.endpointing import Endpointing, Signal
from pipeline.core.patience import WARY_MS, lull_ms, needed_ms
from pipeline.core.ports import Hearing, Microphone, Vad

WINDOW_BYTES = VAD_WINDOW_SAMPLES * 2
WINDOW_MS = VAD_WINDOW_SAMPLES / EAR_RATE_HZ * 1000.0
BYTES_PER_MS = EAR_RATE_HZ // 1000 * 2
PREROLL_MS = 300
"""Sound from before the onset was certain; without it the recogniser misses the first consonant."""
PARTIAL_EVERY_MS = 100
LATEST_S = 0.4
"""So much of the latest sound is there in any case, to be compared with what we say ourselves."""
FINAL_LIMIT_S = 10.0
"""A recogniser that has not said its last word by then has failed; the visitor waits for an answer."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Silence:
    """The visitor has stopped speaking: for a moment (a lull), or for good as far as can be told."""

    speech_ms: float
    silence_ms: float
    """How long ago the last speech was: the endpoint part of the response gap."""
    t_audio_ms: float
    """Where the last speech ended, on the session's clock."""


class Listener(Protocol):
    """Who is told. All are called on the loop and may not block."""

    def onset(self, t_audio_ms: float) -> None:
        """Perhaps speech: one window of it."""
        ...

    def onset_lost(self) -> None: ...
    def speech_started(self, t_audio_ms: float) -> None: ...
    def speech_goes_on(self, speech_ms: float) -> None:
        """Once for each VAD window of speech in the utterance, which has so much of it so far."""
        ...

    def partial(self, text: str, t_audio_ms: float) -> None: ...
    def lull(self, silence: Silence) -> None: ...
    def resumed(self) -> None: ...
    def speech_ended(self, end: Silence) -> None: ...
    def listening_failed(self, error: EngineError) -> None: ...
    def microphone_ended(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EarSettings:
    min_speech_ms: float
    endpoint_ms: float
    lull_ms: float
    wary_ms: float = 0.0
    """`patience.WARY_MS` of the assistant."""
    kept_s: float = 0.0
    """So much of the utterance's sound is kept for whoever judges its end."""

    @classmethod
    def of(cls, turns: TurnSettings, sound_s: float) -> "EarSettings":
        unjudged_ms = needed_ms(turns.patience, None, turns.endpoint_ms)
        lull = lull_ms(turns.patience, turns.endpoint_ms)
        wary_ms = WARY_MS.get(turns.patience, 0.0)
        return cls(turns.min_speech_ms, unjudged_ms, lull, wary_ms, max(sound_s, LATEST_S))


class Listening:
    """`start` it once. It ends with the microphone."""

    def __init__(
        self, microphone: Microphone, vad: Vad, hearing: Hearing, settings: EarSettings, listener: Listener
    ) -> None:
        self.hearing = hearing
        """May be replaced by another between two utterances."""
        self._finishing = asyncio.Lock()
        self._microphone = microphone
        self._vad = vad.open(self._judged, listener.listening_failed)
        self._listener = listener
        self._ends = Endpointing(settings.min_speech_ms, settings.endpoint_ms, settings.lull_ms, settings.wary_ms)
        self._before: deque[bytes] = deque(maxlen=int((PREROLL_MS + settings.min_speech_ms) / PACKET_MS))
        self._kept: deque[bytes] = deque(maxlen=int(settings.kept_s * 1000 / PACKET_MS))
        self._window = bytearray()
        self._deaf = False
        self._unjudged: deque[tuple[bytes, float]] = deque()
        """The windows that the VAD has not answered yet, and when they end on the session's clock."""
        self._since_partial_ms = 0.0
        self._last_partial = ""

    def start(self) -> None:
        self._microphone.attach(self._heard, self._listener.microphone_ended)

    def close(self) -> None:
        self._deaf = True
        self._vad.close()

    @property
    def busy(self) -> bool:
        """The visitor speaks, or what was said is still being made out."""
        return self._ends.speaking or self._finishing.locked()

    @property
    def speaking(self) -> bool:
        """An utterance is under way."""
        return self._ends.speaking

    @property
    def sound(self) -> bytes:
        """The utterance's last `kept_s`, 16 kHz mono s16le."""
        return b"".join(self._kept)

    @property
    def latest(self) -> bytes:
        """What came last, speech or not: `PREROLL_MS` and a little more."""
        return b"".join(self._before if not self._ends.speaking else self._kept)

    def end_after(self, silence_ms: float) -> None:
        """The silence under way ends the turn when it is this long."""
        self._ends.end_after(silence_ms)

    async def final(self) -> Transcript:
        """The words of the utterance that has just ended. Utterances come out in order. Raises EngineError."""
        async with self._finishing, _answering():
            return await self.hearing.finish()

    async def so_far(self) -> Transcript:
        """The words of the utterance under way. Raises EngineError."""
        async with self._finishing, _answering():
            return await self.hearing.so_far()

    def begin_anew(self) -> None:
        """What was heard of the utterance so far was not the visitor: it begins with the latest sound."""
        self.hearing.discard()
        for pcm in list(self._kept)[-int(PREROLL_MS / PACKET_MS) :]:
            self.hearing.feed(pcm)

    def forget(self) -> None:
        """What is being said is no longer waited for (the visitor typed instead, or only said "mm-hm")."""
        if self._ends.speaking:
            self.hearing.discard()
        self._ends.reset()

    def _heard(self, sound: Sound) -> None:
        if self._deaf:
            return
        try:
            self._hear(sound)
        except Exception as error:
            self._fail(error)

    def _hear(self, sound: Sound) -> None:
        if self._ends.speaking:
            self.hearing.feed(sound.pcm)
            self._look_for_partial(sound)
            self._kept.append(sound.pcm)
        else:
            self._before.append(sound.pcm)
        window = self._window
        window += sound.pcm
        while len(window) >= WINDOW_BYTES:
            left_ms = (len(window) - WINDOW_BYTES) / BYTES_PER_MS
            pcm = bytes(window[:WINDOW_BYTES])
            del window[:WINDOW_BYTES]
            self._unjudged.append((pcm, sound.t_audio_ms + PACKET_MS - left_ms))
            self._vad.feed(pcm)

    def _judged(self, probability: float) -> None:
        """Called from the VAD's tick over all sessions: what goes wrong here is this session's end, nobody else's."""
        try:
            self._take(probability)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        log.error("listening failed", exc_info=error)
        self._deaf = True
        self._vad.close()
        self._listener.listening_failed(EngineError("vad", f"listening failed: {error!r}"))

    def _take(self, probability: float) -> None:
        pcm, at_ms = self._unjudged.popleft()
        for signal in self._ends.process(WINDOW_MS, probability, pcm):
            self._signal(signal, at_ms)
        if self._ends.speaking and not self._ends.silence_ms:
            self._listener.speech_goes_on(self._ends.speech_ms)

    def _signal(self, signal: Signal, at_ms: float) -> None:
        match signal:
            case Signal.ONSET:
                self._listener.onset(at_ms - WINDOW_MS)
            case Signal.ONSET_LOST:
                self._listener.onset_lost()
            case Signal.SPEECH_STARTED:
                self._begin_utterance()
                self._listener.speech_started(at_ms - self._ends.speech_ms)
            case Signal.LULL:
                self._listener.lull(self._silence(at_ms))
            case Signal.RESUMED:
                self._listener.resumed()
            case Signal.SPEECH_ENDED:
                end = self._silence(at_ms)
                self._ends.reset()
                self._listener.speech_ended(end)

    def _begin_utterance(self) -> None:
        self._kept.clear()
        for pcm in self._before:
            self.hearing.feed(pcm)
            self._kept.append(pcm)
        self._before.clear()
        self._last_partial, self._since_partial_ms = "", 0.0

    def _silence(self, at_ms: float) -> Silence:
        ends = self._ends
        return Silence(ends.speech_ms, ends.silence_ms, at_ms - ends.silence_ms)

    def _look_for_partial(self, sound: Sound) -> None:
        self._since_partial_ms += PACKET_MS
        if self._since_partial_ms < PARTIAL_EVERY_MS:
            return
        self._since_partial_ms = 0.0
        text = self.hearing.partial
        if text and text != self._last_partial:
            self._last_partial = text
            self._listener.partial(text, sound.t_audio_ms + PACKET_MS)


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Raises EngineError when the recogniser lets the visitor wait too long."""
    try:
        async with asyncio.timeout(FINAL_LIMIT_S):
            yield
    except TimeoutError as error:
        raise EngineError("asr", "the recogniser did not answer in time") from error
