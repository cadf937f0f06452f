"""How much silence ends a turn: from patience, what is thought of the words so far, and whether something stirs.

Pure functions of audio time: no clock, no model. All silences are counted by the VAD, in its windows; a person's true
silence is about 30 ms (-20 to 60) longer, because the VAD hears speech fade (docs/engines.md has the figures).
"""

from array import array
from itertools import pairwise
from typing import Final

CALM: Final = "calm"
BRISK: Final = "brisk"

LATE_MS: Final = 32.0
"""One window more than the assistant's limit, for speech that the VAD hears late."""
CALM_MS: Final = 736.0
"""Calm waits at least so long: 23 windows, one more than PAUSE_MS needs."""
HESITATION_MS: Final = 32.0
"""What calm waits longer when nothing seems to be said yet."""
UNFINISHED: Final = 0.12
"""Completeness below which it seems so."""
BRISK_MS: Final = ((UNFINISHED, CALM_MS), (0.3, 640.0), (0.9, 576.0), (0.96, 352.0))
"""(completeness, silence that ends the turn) when brisk, straight lines between: who is sure answers at once, who is
unsure waits nearly as long as one who is sure of the opposite. Chosen on the tuning half of the pause set."""

STIRRING: Final = 0.1
"""Speech probability of a single window from which somebody may be beginning to speak; silence has about 0.01."""
LOUDER: Final = 3.0
"""So many times as loud as the quietest window of the pause: a consonant may be beginning that the VAD cannot know."""
MURMUR: Final = 2.0
"""So many times as loud as that window: no more than a hint, for which one window more is waited. It costs nothing
where nobody goes on (the pause set's medians stay), and shows who was just drawing breath."""
MURMUR_MS: Final = 32.0
STIR_MEMORY_MS: Final = 160.0
"""So long after it a window that stirred still counts: a voice often begins with a murmur, then closes, then opens."""
FADING_MS: Final = 96.0
"""Speech is still fading in the first windows of a pause: what stirs there is no beginning."""
STIR_LIMIT_MS: Final = 256.0
"""A turn is held open so long because something stirs; then it was noise."""

GOES_ON_MS: Final = 1200.0
"""Who speaks again this soon after their last word was not done with their turn; later they interrupt a reply."""
WARY_MS: Final = {CALM: 0.0, BRISK: GOES_ON_MS}
"""So long after the last word a window that stirs by its speech probability counts as an onset, although the turn was
ended: of those who are answered after little silence and go on, two of three find us silent 20 to 100 ms sooner. Once
a turn: where there is noise a reply is held for STIR_LIMIT_MS. None of the 1,080 true ends of the pause set has such a
window."""

LULL_MS: Final = {CALM: 192.0, BRISK: 96.0}
"""The silence after which a reply is prepared and the turn judged. Calm has time; dips inside words start nothing."""


def lull_ms(patience: str, endpoint_ms: float) -> float:
    """Never more than a fifth of the silence that ends a turn anyway: what is prepared should be ready by then."""
    return min(LULL_MS.get(patience, LULL_MS[CALM]), endpoint_ms / 5)


def needed_ms(patience: str, completeness: float | None, endpoint_ms: float) -> float:
    """The silence that ends the turn; `endpoint_ms` is the assistant's own limit, which is exceeded by LATE_MS, and by
    HESITATION_MS when calm. `completeness` None: nobody has said yet."""
    limit = endpoint_ms + LATE_MS
    if patience == BRISK:
        return limit if completeness is None else min(limit, _between(completeness))
    hesitant = completeness is not None and completeness < UNFINISHED
    return max(limit, CALM_MS) + (HESITATION_MS if hesitant else 0.0)


def _between(completeness: float) -> float:
    for (low, before), (high, after) in pairwise(BRISK_MS):
        if completeness < high:
            share = max(0.0, (completeness - low) / (high - low))
            return before + share * (after - before)
    return BRISK_MS[-1][1]


def stirs(probability: float, loudness: int, quietest: int) -> bool:
    """Somebody may be beginning to speak in this window. Loudnesses are `loudness()` of it and of the pause's
    quietest window."""
    return probability >= STIRRING or loudness > LOUDER * max(quietest, 1)


def murmurs(loudness: int, quietest: int) -> bool:
    """As `stirs`, on fainter evidence."""
    return loudness > MURMUR * max(quietest, 1)


def is_over(needed: float, silence_ms: float, since_stir_ms: float, murmur: bool) -> bool:
    """After each window of a pause: is the turn over? `since_stir_ms`: 0 when this window stirs, infinite if none
    did; windows of the pause's first FADING_MS do not count. `murmur`: whether this window murmurs."""
    held_ms = MURMUR_MS if murmur else 0.0
    return silence_ms >= needed + (STIR_LIMIT_MS if since_stir_ms < STIR_MEMORY_MS else held_ms)


def loudness(pcm: bytes) -> int:
    """Of a window (mono s16le): its largest sample, either way. 10 µs for 512 samples."""
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    return max(max(samples, default=0), -min(samples, default=0))
