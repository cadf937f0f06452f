"""Where speech begins and ends: pure counters on audio time, no clock and no model.

Fed with one speech probability per VAD window. Two thresholds (hysteresis) keep a wavering probability from toggling;
the values are those of Silero's own `VADIterator` (0.5, and 0.15 below it to leave speech).
"""

import enum
from dataclasses import dataclass

ENTER = 0.5
LEAVE = 0.35


class Signal(enum.Enum):
    ONSET = "onset"
    """The first window of speech: perhaps a beginning."""
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
    """Consecutive silence that ends the utterance, whatever was said."""
    lull_ms: float
    """Consecutive silence that may be its end."""
    speaking: bool = False
    speech_ms: float = 0.0
    """Speech in the utterance under way (or in the onset being judged)."""
    silence_ms: float = 0.0
    """Silence since the last speech window."""
    _end_after_ms: float = 0.0
    _in_lull: bool = False
    _onset: bool = False

    def process(self, window_ms: float, probability: float) -> Signals:
        if self.speaking:
            return self._inside(window_ms, probability >= LEAVE)
        return self._outside(window_ms, probability >= ENTER)

    def end_after(self, silence_ms: float) -> None:
        """Of the silence under way: it ends the utterance when it is this long, which may be now (the next window)."""
        self._end_after_ms = min(silence_ms, self.endpoint_ms)

    def _outside(self, window_ms: float, is_speech: bool) -> Signals:
        began, self._onset = self._onset, is_speech
        self.speech_ms = (self.speech_ms if began else 0.0) + window_ms if is_speech else 0.0
        if not is_speech:
            return (Signal.ONSET_LOST,) if began else _NOTHING
        onset = () if began else (Signal.ONSET,)
        if self.speech_ms < self.min_speech_ms:
            return onset
        self.speaking, self.silence_ms, self._in_lull, self._onset = True, 0.0, False, False
        self._end_after_ms = self.endpoint_ms
        return (*onset, Signal.SPEECH_STARTED)

    def _inside(self, window_ms: float, is_speech: bool) -> Signals:
        if is_speech:
            return self._speech(window_ms)
        self.silence_ms += window_ms
        lull: Signals = _NOTHING
        if not self._in_lull and self.silence_ms >= self.lull_ms:
            self._in_lull, lull = True, (Signal.LULL,)
        if self.silence_ms < self._end_after_ms:
            return lull
        self.speaking = False
        return (*lull, Signal.SPEECH_ENDED)

    def _speech(self, window_ms: float) -> Signals:
        self.speech_ms += window_ms
        self.silence_ms = 0.0
        if not self._in_lull:
            return _NOTHING
        self._in_lull, self._end_after_ms = False, self.endpoint_ms
        return (Signal.RESUMED,)

    def reset(self) -> None:
        """The utterance is over for another reason (the visitor typed instead)."""
        self.speaking, self.speech_ms, self.silence_ms = False, 0.0, 0.0
        self._in_lull = self._onset = False
