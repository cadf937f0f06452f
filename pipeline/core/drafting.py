"""Speculation: a reply is thought, and its first phrase spoken into a drawer, before the visitor's turn is surely over.

A draft leaves no trace: the conversation does not know it, the speaker has not begun it, tools with side effects do not
run for it (`LanguageRequest.speculative`). It is released at once when the turn ends with the words it answers, and
thrown away otherwise.
"""

import asyncio
from collections.abc import Callable

from pipeline.contracts.numbers import CLOSE_DEADLINE_S
from pipeline.core.exchange import Exchange
from pipeline.core.surroundings import Meter
from pipeline.core.words import words

Start = Callable[[Exchange], "asyncio.Task[None]"]


class Drafting:
    """At most one draft of a session."""

    def __init__(self, start: Start, meter: Meter) -> None:
        self._start = start
        self._meter = meter
        self._draft: Exchange | None = None
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    def answers(self, text: str) -> bool:
        """There is a draft for these words: the same, whatever their case and punctuation."""
        return self._draft is not None and words(self._draft.visitor.text) == words(text)

    def begin(self, exchange: Exchange) -> None:
        """Prepare this one, whose words are known, instead of what was prepared before."""
        self.discard()
        if self._closed:
            return
        self._draft = exchange
        exchange.task = self._start(exchange)
        self._tasks.add(exchange.task)
        exchange.task.add_done_callback(self._tasks.discard)

    def release(self, text: str) -> Exchange | None:
        """The turn is over with these words: the draft for them, if there is one that has not failed meanwhile."""
        draft = self._draft
        if draft is None or draft.task is None or draft.task.done() or not self.answers(text):
            self.discard()
            return None
        self._draft = None
        self._meter.speculation("released")
        return draft

    def discard(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None or draft.task is None:
            return
        draft.over = True
        draft.task.cancel()
        self._meter.speculation("discarded")

    async def close(self) -> None:
        self._closed = True
        self.discard()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_DEADLINE_S)
