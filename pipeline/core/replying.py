"""One reply from the first thought to the last sound: the coroutine that an interruption cancels."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from pipeline.contracts.audio import SpeechChunk
from pipeline.contracts.errors import EngineError
from pipeline.core.exchange import Exchange
from pipeline.core.floor import Floor
from pipeline.core.phrasing import phrases
from pipeline.core.speaking import Speaking
from pipeline.core.thinking import Thinking

log = logging.getLogger(__name__)


class Replying:
    """`speaking` None: the reply is written, not spoken."""

    def __init__(self, floor: Floor, thinking: Thinking, speaking: Speaking | None) -> None:
        self._floor = floor
        self._thinking = thinking
        self._speaking = speaking

    async def run(self, exchange: Exchange) -> None:
        """Never raises but CancelledError: whatever fails ends the reply with what was heard of it."""
        try:
            if await asyncio.shield(exchange.words):
                await self._reply(exchange)
        except EngineError as error:
            log.error("reply %s failed: %s engine: %s", exchange.number, error.engine, error)
            self._floor.failed(exchange)
        except Exception:
            log.exception("reply %s failed", exchange.number)
            self._floor.failed(exchange)

    async def _reply(self, exchange: Exchange) -> None:
        async with aclosing(self._thinking.reply(exchange)) as pieces:
            spoken = phrases(pieces)
            if self._speaking is None:
                sounded = await self._write(exchange, spoken)
            else:
                sounded = await self._speaking.say(exchange, spoken, lambda: self._floor.began(exchange))
        if sounded:
            self._floor.finished(exchange)
        else:
            self._floor.failed(exchange)

    async def _write(self, exchange: Exchange, spoken: AsyncIterator[str]) -> bool:
        """In writing a phrase is told as soon as it is thought."""
        first = True
        async for phrase in spoken:
            exchange.timeline.begin_phrase(phrase)
            exchange.timeline.add(SpeechChunk(b"", 1))
            exchange.timeline.end_phrase()
            if first:
                self._floor.began(exchange)
                first = False
            self._floor.tell_progress()
        exchange.settle()
        return not first
