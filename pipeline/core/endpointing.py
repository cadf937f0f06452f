"""Where speech begins and ends: pure counters on audio time, no clock and no model (`patience` has the rules).

Fed with one speech probability per VAD window. Two thresholds (hysteresis) keep a wavering probability from toggling;
the values are those of Silero's own `VADIterator` (0.5, and 0.15 below it to leave speech).
"""

import enum
import math
from dataclasses import dataclass

from pipeline.core.patience import FADING_MS, STIR_LIMIT_MS, STIRRING, is_over, loudness, murmurs, stirs

ENTER = 0.5
LEAVE = 0.35


class Signal(enum.Enum):
    ONSET = "onset"
    """The first window of speech, or of what may become speech: perhaps a beginning."""
    ONSET_LOST = "onset lost"
    """It was none: shorter than `min_speech_ms`."""
    SPEECH_STARTED = "speech started"
    LULL = "lull"
    """Silence inside an utterance that may be its end: the moment to prepare for it."""
    RESUMED = "resumed"
    """Speech again after a lull."""
    SPEECH_ENDED = "speech ended"


Signals = tuple[Signal, ...]
_NOTHING: Signals = ()


@dataclass(slots=True)
class Endpointing:
    """`process` each window in order; returned signals are true as of the end of that window."""

    min_speech_ms: float
    """Consecutive speech that makes a beginning; less is a click or a cough."""
    endpoint_ms: float
    """Consecutive silence that ends the utterance as long as nobody has judged what was said."""
    lull_ms: float
    """Consecutive silence that may be its end."""
    wary_ms: float = 0.0
    """So long after the last speech of an utterance that has ended, what stirs is an onset, too."""
    speaking: bool = False
    speech_ms: float = 0.0
    """Speech in the utterance under way (or in the onset being judged)."""
    silence_ms: float = 0.0
    """Silence since the last speech window."""
    _needed_ms: float = 0.0
    _quietest: int = 0
    """Loudness of the pause's quietest window."""
    _since_stir_ms: float = math.inf
    _wary_ms: float = 0.0
    """What is left of `wary_ms`, or of STIR_LIMIT_MS once something has stirred."""
    _stirred: bool = False
    _in_lull: bool = False
    _onset: bool = False

    def process(self, window_ms: float, probability: float, pcm: bytes = b"") -> Signals:
        """`pcm`: the window itself, s16le; in a pause it may show that somebody is about to speak."""
        if not self.speaking:
            return self._outside(window_ms, probability)
        if probability >= LEAVE:
            return self._speech(window_ms)
        return self._silence(window_ms, probability, loudness(pcm))

    def end_after(self, silence_ms: float) -> None:
        """Of the silence under way: it ends the utterance when it is this long, which may be now (the next window)."""
        self._needed_ms = silence_ms

    def _outside(self, window_ms: float, probability: float) -> Signals:
        is_speech = probability >= ENTER
        began, self._onset = self._onset, self._stirs(window_ms, probability) or is_speech
        self.speech_ms = (self.speech_ms if began else 0.0) + window_ms if is_speech else 0.0
        if not self._onset:
            return (Signal.ONSET_LOST,) if began else _NOTHING
        onset = () if began else (Signal.ONSET,)
        if self.speech_ms < self.min_speech_ms:
            return onset
        self.speaking, self.silence_ms, self._in_lull, self._onset = True, 0.0, False, False
        self._needed_ms, self._wary_ms = self.endpoint_ms, 0.0
        return (*onset, Signal.SPEECH_STARTED)

    def _stirs(self, window_ms: float, probability: float) -> bool:
        """While wary: in this window or shortly before. When that has passed without speech we are wary no more."""
        if self._wary_ms <= 0.0:
            return False
        self._wary_ms -= window_ms
        if probability >= STIRRING and not self._stirred:
            self._stirred, self._wary_ms = True, min(self._wary_ms, STIR_LIMIT_MS)
        return self._stirred and self._wary_ms > 0.0

    def _silence(self, window_ms: float, probability: float, loud: int) -> Signals:
        began = not self.silence_ms
        self._quietest = loud if began else min(self._quietest, loud)
        self._since_stir_ms = math.inf if began else self._since_stir_ms + window_ms
        self.silence_ms += window_ms
        if self.silence_ms > FADING_MS and stirs(probability, loud, self._quietest):
            self._since_stir_ms = 0.0
        lull: Signals = _NOTHING
        if not self._in_lull and self.silence_ms >= self.lull_ms:
            self._in_lull, lull = True, (Signal.LULL,)
        murmur = murmurs(loud, self._quietest)
        if not is_over(self._needed_ms, self.silence_ms, self._since_stir_ms, murmur):
            return lull
        self.speaking = False
        self._wary_ms, self._stirred = self.wary_ms - self.silence_ms, False
        return (*lull, Signal.SPEECH_ENDED)

    def _speech(self, window_ms: float) -> Signals:
        self.speech_ms += window_ms
        self.silence_ms = 0.0
        if not self._in_lull:
            return _NOTHING
        self._in_lull, self._needed_ms = False, self.endpoint_ms
        return (Signal.RESUMED,)

    def reset(self) -> None:
        """The utterance is over for another reason (the visitor typed instead)."""
        self.speaking, self.speech_ms, self.silence_ms = False, 0.0, 0.0
        self._in_lull = self._onset = False
