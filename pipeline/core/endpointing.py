"""Where speech begins and ends: pure counters on audio time, no clock and no model.

Fed with one speech probability per VAD window. Two thresholds (hysteresis) keep a wavering probability from toggling;
the values are those of Silero's own `VADIterator` (0.5, and 0.15 below it to leave speech).
"""

import enum
from dataclasses import dataclass

ENTER = 0.5
LEAVE = 0.35


class Signal(enum.Enum):
    SPEECH_STARTED = "speech started"
    SPEECH_ENDED = "speech ended"


@dataclass(slots=True)
class Endpointing:
    """`process` each window in order; a returned signal is true as of the end of that window."""

    min_speech_ms: float
    """Consecutive speech that makes a beginning; less is a click or a cough."""
    endpoint_ms: float
    """Consecutive silence that ends the utterance."""
    speaking: bool = False
    speech_ms: float = 0.0
    """Speech in the utterance under way (or in the onset being judged)."""
    silence_ms: float = 0.0
    """Silence since the last speech window."""

    def process(self, window_ms: float, probability: float) -> Signal | None:
        is_speech = probability >= (LEAVE if self.speaking else ENTER)
        return self._inside(window_ms, is_speech) if self.speaking else self._outside(window_ms, is_speech)

    def _outside(self, window_ms: float, is_speech: bool) -> Signal | None:
        if not is_speech:
            self.speech_ms = 0.0
            return None
        self.speech_ms += window_ms
        if self.speech_ms < self.min_speech_ms:
            return None
        self.speaking, self.silence_ms = True, 0.0
        return Signal.SPEECH_STARTED

    def _inside(self, window_ms: float, is_speech: bool) -> Signal | None:
        if is_speech:
            self.speech_ms += window_ms
            self.silence_ms = 0.0
            return None
        self.silence_ms += window_ms
        if self.silence_ms < self.endpoint_ms:
            return None
        self.speaking = False
        return Signal.SPEECH_ENDED

    def reset(self) -> None:
        """The utterance is over for another reason (the visitor typed instead)."""
        self.speaking, self.speech_ms, self.silence_ms = False, 0.0, 0.0
