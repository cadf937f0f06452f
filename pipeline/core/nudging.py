"""Silence where an answer is due: after 2 s a listening cue, and some seconds later a one-line question. Once.

Due is the visitor's answer to a question of ours, or a repetition after a turn that had to be reset.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from pipeline.contracts.numbers import SILENCE_CUE_S
from pipeline.core.ports import Clock

QUESTION_AFTER_S: Final = 4.0
"""From the cue on."""
QUESTIONS: Final = {
    "answer": "Are you still there?",
    "reset": "I'm sorry, could you say that again?",
}


class Nudging:
    def __init__(self, clock: Clock, cue: Callable[[], None], ask: Callable[[str], None]) -> None:
        """`cue` and `ask` are called when their time has come and nobody has said anything since."""
        self._clock = clock
        self._cue = cue
        self._ask = ask
        self._waiting: asyncio.Task[None] | None = None

    def due(self, why: str) -> None:
        """`why`: answer or reset."""
        self.settled()
        self._waiting = asyncio.create_task(self._wait(QUESTIONS[why]), name="nudge")

    def settled(self) -> None:
        """Somebody says something, or the session is over."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait(self, question: str) -> None:
        await self._clock.sleep(SILENCE_CUE_S)
        self._cue()
        await self._clock.sleep(QUESTION_AFTER_S)
        self._waiting = None
        self._ask(question)
