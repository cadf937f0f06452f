"""V7: a turn whose reply cannot be heard within 500 ms of its end is reset, and the visitor hears a short tone.

So nobody waits in silence without knowing that they were heard, and no reply comes when it is not expected any more.
"""

import asyncio
import logging
from collections.abc import Callable

from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import FIRST_AUDIO_LIMIT_MS
from pipeline.core.clock import SessionClock
from pipeline.core.surroundings import Meter
from pipeline.core.telling import Teller
from pipeline.core.tones import Tones

log = logging.getLogger(__name__)


class FirstAudio:
    """One clock for one turn at a time; a new expectation takes the place of the last."""

    def __init__(
        self, clock: SessionClock, teller: Teller, meter: Meter, tones: Tones, on_timeout: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._teller = teller
        self._meter = meter
        self._tones = tones
        self._on_timeout = on_timeout
        self._waiting: asyncio.Task[None] | None = None

    def expect(self, reset: Callable[[], bool]) -> None:
        """`reset` is called at the limit and says whether there was a turn to reset."""
        self.forget()
        self._waiting = asyncio.create_task(self._wait(reset), name="first audio")

    def forget(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait(self, reset: Callable[[], bool]) -> None:
        await self._clock.clock.sleep(FIRST_AUDIO_LIMIT_MS / 1000.0)
        if not reset():
            return
        self._meter.turn_timeout()
        log.warning("turn_timeout: nothing to hear %d ms after the end of turn", FIRST_AUDIO_LIMIT_MS)
        self._teller.tell(EventKind.NOTICE, code="turn_timeout", text="That took too long. Please say it again.")
        self._tones.acknowledge()
        self._on_timeout()
