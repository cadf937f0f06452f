"""Session control signals (SCOS): how the next reply should be worded, from what can be observed and from that alone.

Internal to the session: the signals go into the next prompt and nowhere else; never to the visitor, a record, an event
or an API. Metrics see aggregates, without a session; the log sees them at level debug, in a file whose lines are
removed after seven days (goassist_site/logs.py). They say nothing of what anybody feels.
"""

import logging
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.dialogue import CancelReason, Transcript
from pipeline.core.words import words

_NEWEST: Final = 0.25
"""Weight of the newest observation in a moving average: some four turns are remembered."""
_USUAL_WORDS_PER_S: Final = 2.5
"""Conversational English: 150 words a minute."""
_FEWEST_MS: Final = 300.0
"""Less speech than this tells nothing of its speed."""
_LONG_SILENCE_MS: Final = 4000.0
_OFTEN: Final = 0.4

_REPEATS: Final = frozenset(
    """what|pardon|pardon me|sorry|excuse me|come again|again|what was that|what did you say|say again|say that again
    |say it again|can you repeat that|could you repeat that|repeat that|i didn't catch that|i did not catch that
    |i didn't hear you|i can't hear you|i didn't understand|huh""".replace("\n    ", "").split("|")
)
_POLITE: Final = frozenset({"please", "again", "sorry", "sir", "madam"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signals:
    """0 to 1, but for the flag."""

    verbosity_level: float
    """0: as few words as possible; 0.5: as the persona says; 1: there is time to explain."""
    backchannel_allowed: bool
    """Whether an "okay" or "I see" before the answer would help rather than delay it."""
    clarification_confidence: float
    """How sure it is that one side did not follow the other: high, and the reply first makes sure of what is meant."""


class Scos:
    """A few moving averages; a session of any length takes the same memory. Deterministic, without a clock."""

    def __init__(self, session_id: str = "") -> None:
        self._session_id = session_id
        self._words_per_s = _USUAL_WORDS_PER_S
        self._interruptions = 0.0
        """Share of replies that were interrupted, and so on: each 0 to 1."""
        self._unsure = 0.0
        self._repeats = 0.0
        self._silences = 0.0

    def heard(self, transcript: Transcript, speech_ms: float) -> None:
        """What a visitor said in one turn, and how long that took."""
        spoken = words(transcript.text)
        if spoken and speech_ms >= _FEWEST_MS:
            self._words_per_s = _moved(self._words_per_s, min(8.0, len(spoken) * 1000.0 / speech_ms))
        self._unsure = _moved(self._unsure, 1.0 - _within_one(transcript.confidence))
        self._repeats = _moved(self._repeats, 1.0 if asks_to_repeat(spoken) else 0.0)
        self._silences = _moved(self._silences, 0.0)

    def interrupted(self) -> None:
        """A reply was cut by the visitor."""
        self._interruptions = _moved(self._interruptions, 1.0)

    def replied(self) -> None:
        """A reply was heard to its end."""
        self._interruptions = _moved(self._interruptions, 0.0)

    def reply_over(self, cancelled: CancelReason | None) -> None:
        """Either; a reply that we cut ourselves says nothing of the visitor."""
        if cancelled is None:
            self.replied()
        elif cancelled is not CancelReason.SYSTEM_OVERLOAD:
            self.interrupted()

    def silence(self, ms: float) -> None:
        """The visitor said nothing for so long where an answer was due."""
        if ms >= _LONG_SILENCE_MS:
            self._silences = _moved(self._silences, 1.0)

    def signals(self) -> Signals:
        hurry = max(-1.0, min(1.0, (self._words_per_s - _USUAL_WORDS_PER_S) / _USUAL_WORDS_PER_S))
        verbosity = 0.5 - 0.25 * hurry - 0.6 * self._interruptions - 0.3 * self._repeats
        doubt = 0.7 * self._unsure + 0.8 * self._repeats + 0.3 * self._silences
        found = Signals(
            verbosity_level=_within_one(verbosity),
            backchannel_allowed=self._interruptions < _OFTEN and self._repeats < _OFTEN,
            clarification_confidence=_within_one(doubt),
        )
        log.debug("signals %s", found, extra={"session": self._session_id})
        return found


def asks_to_repeat(spoken: list[str]) -> bool:
    """Whether these words (lower case) are nothing but "what?", "pardon?", "say that again, please"."""
    whole = " ".join(spoken)
    return whole in _REPEATS or " ".join(word for word in spoken if word not in _POLITE) in _REPEATS


def style_line(signals: Signals, *, terse: bool) -> str:
    """What the model is told of it; empty where there is nothing to say. `terse`: the worker is pressed."""
    said: list[str] = []
    if terse or signals.verbosity_level < 0.3:
        said.append("Answer in one short sentence.")
    elif signals.verbosity_level > 0.65:
        said.append("There is time for a sentence more than usual.")
    if not signals.backchannel_allowed:
        said.append('Begin with the answer itself, without an "okay" or "I see" before it.')
    if signals.clarification_confidence > 0.5:
        said.append("First make sure what is meant: say in a few plain words what you understood.")
    return " ".join(said)


def _moved(average: float, newest: float) -> float:
    return average + _NEWEST * (newest - average)


def _within_one(value: float) -> float:
    return max(0.0, min(1.0, value))
