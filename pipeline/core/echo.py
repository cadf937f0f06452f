"""Our own voice, come back through the visitor's loudspeaker and microphone, must not interrupt us.

Browsers cancel most echo; what is left of it is recognised by comparing with what we sent. Somebody who speaks at the
same time makes the two unlike, and interrupts.
"""

from typing import Final

from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.core.ports import EchoDetector, Speaker

HEARD_MS: Final = 160
"""How much of the microphone is compared: a few syllables' edges."""
LONGEST_PATH_S: Final = 0.5
"""Jitter buffer, loudspeaker, air, microphone, network: sound is back within this time."""
LIKE: Final = 0.6
"""Echoes through a small loudspeaker and a room score 0.65 to 0.9, other voices up to 0.55 (tests/pipeline/engines)."""


class EchoCheck:
    """Of one session. Without a speaker there is no echo."""

    def __init__(self, detector: EchoDetector, speaker: Speaker | None) -> None:
        self._detector = detector
        self._speaker = speaker

    def heard(self, pcm: bytes) -> bool:
        """`pcm`: what the microphone brought last (mono s16le, 16 kHz)."""
        if self._speaker is None:
            return False
        reference, rate_hz = self._speaker.reference(HEARD_MS / 1000 + LONGEST_PATH_S)
        latest = pcm[-EAR_RATE_HZ * HEARD_MS // 1000 * 2 :]
        return self._detector.likeness(latest, reference, rate_hz) >= LIKE
