"""A turn detector that was told what to think."""

import asyncio
from collections.abc import Sequence

from pipeline.core.ports import Pause
from pipeline.engines.scripted.script import Scripted, Sleep
from pipeline.engines.scripted.script import pause as wait


class ScriptedTurns(Scripted):
    """Pause after pause, of all sessions together: `completeness`, one after the other, over and over."""

    sound_s = 0.0

    def __init__(
        self, *, completeness: Sequence[float] = (1.0,), delay_ms: float = 0, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._completeness, self._delay_ms, self._sleep = tuple(completeness), delay_ms, sleep
        self._asked = 0

    async def completeness(self, pause: Pause) -> float:
        answer = self._completeness[self._asked % len(self._completeness)]
        self._asked += 1
        await wait(self._sleep, self._delay_ms)
        return answer
