"""Somebody speaks while we do: do they take the floor? Pure functions; English.

Product contract, section 4: "mm-hm" and "okay" do not, a false interruption resumes the reply; words, or half a second
of speech, do.
"""

import enum
from typing import Final

from pipeline.contracts.numbers import TAKES_FLOOR_MS
from pipeline.core.words import words

BACKCHANNELS: Final = frozenset(
    "ah aha ahh alright gotcha great hm hmm huh i know mhm mm mmhm mmhmm oh ok okay really right see sure uh uhhuh uhuh"
    " um wow yeah yep yes yup".split()
)
"""Each of these, and any row of them, says "go on". Hyphens are gone: `words` makes "uh-huh" one word."""
ANSWERS: Final = frozenset("alright ok okay right sure yeah yep yes yup".split())
"""What says "go on" in the middle of a reply answers the question at its end."""
BACKCHANNEL_MS: Final = 2 * TAKES_FLOOR_MS
"""A row of backchannels longer than this is a speech after all."""

_COMMANDS: Final = {
    "stop": ("stop", "stop it", "stop talking", "stop there", "cancel", "cancel that", "be quiet", "quiet", "enough",
             "that's enough", "never mind"),
    "wait": ("hold on", "hang on", "wait", "wait a moment", "wait a minute", "wait a second", "one moment",
             "just a moment", "one second", "just a second", "a moment"),
}  # fmt: skip
_COURTESY: Final = frozenset({"please", "okay", "ok", "no", "oh", "thanks", "thank", "you", "for", "now", "just"})
_ACKNOWLEDGED: Final = {"stop": "Okay.", "wait": "Take your time."}


class Verdict(enum.Enum):
    TAKEN = "taken"
    KEPT = "kept"
    OPEN = "open"
    """Not known yet."""


def verdict(text: str, speech_ms: float, *, over: bool, asked: bool = False) -> Verdict:
    """`text`: what the recogniser has of it so far. `over`: they have fallen silent again. `asked`: the reply is about
    to end with a question."""
    spoken = words(text)
    if command(text) or any(word not in BACKCHANNELS or (asked and word in ANSWERS) for word in spoken):
        return Verdict.TAKEN
    if speech_ms >= (BACKCHANNEL_MS if spoken else TAKES_FLOOR_MS):
        return Verdict.TAKEN
    return Verdict.KEPT if over else Verdict.OPEN


def command(text: str) -> str:
    """`stop`, `wait` or nothing: what the visitor wants us to do at once, if that is all they say."""
    spoken = words(text)
    for name, phrases in _COMMANDS.items():
        for phrase in phrases:
            wanted = phrase.split()
            if _stands_alone(spoken, wanted):
                return name
    return ""


def acknowledgement(text: str) -> str:
    """What is said to a command that had nothing to stop."""
    return _ACKNOWLEDGED.get(command(text), "")


def _stands_alone(spoken: list[str], wanted: list[str]) -> bool:
    """The phrase, once or repeated ("stop, stop"), with nothing around it but courtesies."""
    rest, found = list(spoken), False
    while rest:
        if rest[: len(wanted)] == wanted:
            rest, found = rest[len(wanted) :], True
        elif rest[0] in _COURTESY:
            rest = rest[1:]
        else:
            return False
    return found
