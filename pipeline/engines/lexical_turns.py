"""End of turn from words and voice, without weights to fetch: is what was said whole, and did it sound like an end?

A logistic sum of marks that can be read off the words (`wording`) and of the voice's ending (`prosody`). The numbers
were fitted on the tuning half of the pause set by `python -m benchmarks.pauses.fit`, and are few enough to be read.
"""

import math
from typing import Final

from pipeline.core.ports import Pause
from pipeline.core.threads import Threads
from pipeline.engines.prosody import HEARD_S, Ending, ending
from pipeline.engines.wording import Marks, marks

BIAS: Final = 1.38
WORDS: Final = Marks(
    demand=-3.64, lean=-0.81, object=-0.95, answer=0.69, closer=1.54, number_open=-2.71, number_whole=1.26,
    content=1.86, short=-4.67,
)  # fmt: skip
VOICE: Final = Ending(pitch=-0.21, level=-0.03, stretch=-1.68)


class LexicalTurns:
    """See `core.ports.TurnDetector`. The words take microseconds; the voice 1 ms, in a thread of the engine's own."""

    name = "lexical"
    sound_s = HEARD_S

    def __init__(self) -> None:
        self._thread = Threads("turns", "prosody")

    async def start(self) -> None:
        """Nothing is loaded."""

    async def close(self) -> None:
        await self._thread.close()

    async def completeness(self, pause: Pause) -> float:
        voice = await self._thread.run(ending, pause.pcm)
        return completeness(words_of(pause), voice)


def words_of(pause: Pause) -> Marks:
    """Where the recogniser hears two things, an end and a middle, their marks are halved: the truth may be either."""
    ended = marks(pause.text)
    if not pause.unended:
        return ended
    return Marks(*((one + other) / 2 for one, other in zip(ended, marks(pause.unended), strict=True)))


def completeness(words: Marks, voice: Ending) -> float:
    """Probability 0 to 1."""
    total = BIAS + sum(w * x for w, x in zip((*WORDS, *VOICE), (*words, *voice), strict=True))
    return 1 / (1 + math.exp(-total))
