"""One reply from the first thought to the last sound: the coroutine that an interruption cancels."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from pipeline.contracts.errors import EngineError, StreamEnded
from pipeline.core.exchange import Exchange
from pipeline.core.floor import Floor
from pipeline.core.phrasing import phrases
from pipeline.core.speaking import Speaking
from pipeline.core.stream import Stream
from pipeline.core.surroundings import Meter
from pipeline.core.thinking import Thinking

AHEAD_PHRASES = 100
"""What may be thought and not yet said: more than the longest reply has. A full stream makes thinking wait."""

log = logging.getLogger(__name__)


class Replying:
    """`speaking` None: the reply is written, not spoken, and `tell_progress` called with each phrase."""

    def __init__(
        self,
        floor: Floor,
        thinking: Thinking,
        speaking: Speaking | None,
        meter: Meter,
        tell_progress: Callable[[], None],
    ) -> None:
        self._floor = floor
        self._tell_progress = tell_progress
        self._thinking = thinking
        self._speaking = speaking
        self._meter = meter

    async def run(self, exchange: Exchange) -> None:
        """Never raises but CancelledError: whatever fails ends the reply with what was heard of it."""
        try:
            if await asyncio.shield(exchange.words):
                await self._reply(exchange)
        except EngineError as error:
            self._meter.failed(error.engine)
            log.error("reply %s failed: %s engine: %s", exchange.number, error.engine, error)
            self._floor.failed(exchange)
        except Exception:
            self._meter.failed("reply")
            log.exception("reply %s failed", exchange.number)
            self._floor.failed(exchange)

    async def _reply(self, exchange: Exchange) -> None:
        """Thought runs ahead of speech: who waits for the text need not wait for the sound."""
        ahead: Stream[str] = Stream(AHEAD_PHRASES)
        thinking = asyncio.create_task(self._think(exchange, ahead), name=f"thinking {exchange.number}")
        try:
            async with aclosing(_rest(ahead)) as spoken:
                told = await self._tell(exchange, spoken)
            await thinking
        finally:
            thinking.cancel()
            await asyncio.wait({thinking})
        if told:
            self._floor.finished(exchange)
        else:
            self._floor.failed(exchange)

    async def _tell(self, exchange: Exchange, spoken: AsyncIterator[str]) -> bool:
        if self._speaking is None:
            return await self._write(exchange, spoken)
        return await self._speaking.say(exchange, spoken, lambda: self._floor.began(exchange))

    async def _think(self, exchange: Exchange, ahead: Stream[str]) -> None:
        whole: list[str] = []
        try:
            async with aclosing(self._thinking.reply(exchange)) as pieces, aclosing(phrases(pieces)) as cut:
                async for phrase in cut:
                    whole.append(phrase)
                    await ahead.put(phrase)
            exchange.thought(" ".join(whole))
        finally:
            ahead.close()

    async def _write(self, exchange: Exchange, spoken: AsyncIterator[str]) -> bool:
        """In writing a phrase is told as soon as it is thought."""
        first = True
        async for phrase in spoken:
            exchange.timeline.begin_phrase(phrase)
            exchange.timeline.end_phrase()
            if first:
                self._floor.began(exchange)
                first = False
            self._tell_progress()
        return not first


async def _rest(ahead: Stream[str]) -> AsyncGenerator[str, None]:
    """What comes out of the stream until it ends."""
    with contextlib.suppress(StreamEnded):
        while True:
            yield await ahead.get()
