"""A language engine whose replies are written down."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from pipeline.contracts.dialogue import LanguageRequest, Message
from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.engines.extract import extract
from pipeline.engines.scripted.script import Scripted, Sleep, pause


class ScriptedLanguage(Scripted):
    """`replies` in order over all sessions, over and over; without any it says what it was asked."""

    def __init__(
        self,
        *,
        replies: Sequence[str] = (),
        first_token_ms: float = 0,
        per_token_ms: float = 0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._replies = tuple(replies)
        self._first_token_ms, self._per_token_ms, self._sleep = first_token_ms, per_token_ms, sleep
        self._asked = 0

    async def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        """Word by word."""
        text = self._replies[self._asked % len(self._replies)] if self._replies else f"You said: {request.question}"
        self._asked += 1
        await pause(self._sleep, self._first_token_ms)
        for i, token in enumerate(re.findall(r"\s*\S+", text)):
            if i:
                await pause(self._sleep, self._per_token_ms)
            yield token

    @property
    def context_tokens(self) -> int:
        return CONTEXT_TOKENS

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        """There is no tokenizer."""
        return None

    async def summarise(self, messages: Sequence[Message]) -> str:
        return await asyncio.to_thread(extract, messages)  # some 20 ms for what a rollover hands over
