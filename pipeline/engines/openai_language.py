"""The language engine for any server that speaks OpenAI's chat completions over HTTP; vLLM is the reference.

Streaming, abortable (closing the iterator closes the HTTP stream, upon which the server stops generating), one retry
before the first token, one circuit breaker for all sessions. Source of the protocol:
https://platform.openai.com/docs/api-reference/chat-streaming
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

from openai import APIStatusError, AsyncOpenAI, AsyncStream, Timeout

from pipeline.contracts.dialogue import LanguageRequest, Message, Usage
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import LLM_STREAM_LIMIT_S
from pipeline.engines.circuit import Circuit
from pipeline.engines.grounding import grounded_messages
from pipeline.engines.openai_answers import BROKEN, BadStream, content_of, in_words, may_retry, usage_of, whole_text_of
from pipeline.engines.patience import Patience
from pipeline.engines.server_tokenizer import ServerTokenizer
from pipeline.engines.summarising import SUMMARY_TOKENS, summary_messages

logger = logging.getLogger(__name__)

_CONNECT_LIMIT_S: Final = 2.0
_CHECK_LIMIT_S: Final = 5.0
_BACK_OFF_S: Final = 0.05
"""Wait before the retry, up to twice as long; more would be heard as a gap."""


class OpenAiLanguage:
    """One client, and so one connection pool, for all sessions of the worker.

    `base_url` ends in the API's version ("http://127.0.0.1:8000/v1"). Without `model` the first one the server lists.
    `stream_limit_s` bounds the waiting for the server during one reply, not the time it takes to speak it.
    """

    name = "openai"

    def __init__(
        self,
        *,
        base_url: str = "http://127.0.0.1:8000/v1",
        model: str = "",
        api_key: str = "",
        temperature: float = 0.3,
        stream_limit_s: float = LLM_STREAM_LIMIT_S,
        circuit: Circuit | None = None,
    ) -> None:
        self._base_url = base_url
        self._model = model
        self._temperature = temperature
        self._limit_s = stream_limit_s
        self._circuit = circuit or Circuit()
        timeout = Timeout(stream_limit_s, connect=_CONNECT_LIMIT_S)
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key or "none", timeout=timeout, max_retries=0)
        self._tokenizer = ServerTokenizer(self._client, base_url)
        self._tells_usage = True
        """Until the server turns out not to know `stream_options`."""

    async def start(self) -> None:
        """Asks the server for its models. Raises EngineError: what is wrong, and which setting mends it."""
        try:
            listing = await Patience(_CHECK_LIMIT_S).wait(self._client.models.list())
        except BROKEN as error:
            raise EngineError("llm", f"the language server at {self._base_url} {in_words(error)}") from error
        self._model = self._chosen([model.id for model in listing.data or ()])
        await self._tokenizer.find(self._model)
        logger.info("the language server answers, model %s", self._model)

    async def close(self) -> None:
        await self._client.close()

    @property
    def context_tokens(self) -> int:
        return self._tokenizer.context_tokens

    async def count(self, texts: Sequence[str]) -> list[int] | None:
        """By the server's tokenizer, one short request a text."""
        if not self._tokenizer.offered:
            return None
        try:
            return await self._tokenizer.count(self._model, texts)
        except BROKEN as error:
            raise EngineError("llm", f"the language server {in_words(error)}") from error

    async def summarise(self, messages: Sequence[Message]) -> str:
        """One request, not streamed. Whoever asks sets the time limit."""
        self._admit()
        try:
            answer = await self._client.chat.completions.create(
                model=self._model, messages=_any(summary_messages(messages)), max_tokens=SUMMARY_TOKENS, temperature=0.0
            )
            return whole_text_of(answer)
        except BROKEN as error:
            raise EngineError("llm", f"the language server {in_words(error)}") from error

    def _admit(self) -> None:
        if not self._circuit.admits():
            raise EngineError(
                "llm", "the language server failed several times in a row and is given a few seconds' rest"
            )

    async def reply(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        """Pieces of text as the server sends them. Raises EngineError in words that may be shown to anyone."""
        self._admit()
        for attempt in (1, 2):
            begun = False
            try:
                async with aclosing(self._pieces(request)) as pieces:
                    async for piece in pieces:
                        begun = True
                        self._circuit.succeeded()
                        yield piece
                return
            except BROKEN as error:
                self._circuit.failed()
                if begun or attempt == 2 or not may_retry(error):
                    raise EngineError("llm", f"the language server {in_words(error)}") from error
            await asyncio.sleep(_BACK_OFF_S * (1 + random.random()))

    async def _pieces(self, request: LanguageRequest) -> AsyncGenerator[str, None]:
        """One HTTP stream, closed on every way out. Raises one of BROKEN, also if the reply is empty or unfinished."""
        patience, empty, finished = Patience(self._limit_s), True, False
        usage: Usage | None = None
        stream: AsyncStream[Any] = await patience.wait(self._request(request))
        try:
            while (chunk := await patience.wait(anext(stream, None))) is not None:
                text, reason = content_of(chunk)
                usage = usage_of(chunk) or usage
                finished = finished or reason is not None
                if text:
                    empty = False
                    yield text
        finally:
            await stream.close()
        if empty or not finished:
            raise BadStream("empty or unfinished reply")
        if usage is not None and request.on_usage is not None:
            request.on_usage(usage)

    async def _request(self, request: LanguageRequest) -> AsyncStream[Any]:
        """Asks for the server's token counts, too; a server that refuses the wish is asked again without it."""
        if not self._tells_usage:
            return await self._stream(request)
        try:
            return await self._stream(request, stream_options={"include_usage": True})
        except APIStatusError as error:
            if error.status_code not in (400, 422):
                raise
        stream = await self._stream(request)
        self._tells_usage = False
        logger.info("the language server does not know stream_options: no figures on its prefix cache")
        return stream

    async def _stream(self, request: LanguageRequest, **wishes: Any) -> AsyncStream[Any]:
        stream: AsyncStream[Any] = await self._client.chat.completions.create(
            model=self._model,
            messages=_any(grounded_messages(request)),
            max_tokens=request.max_tokens,
            temperature=self._temperature,
            stream=True,
            **wishes,
        )
        return stream

    def _chosen(self, listed: list[str]) -> str:
        """The model to ask for. A server that lists none is believed to know the one that is set."""
        if self._model and (self._model in listed or not listed):
            return self._model
        if self._model:
            raise EngineError(
                "llm",
                f"the language server does not serve '{self._model}'; set LLM_MODEL to one of: {', '.join(listed)}",
            )
        if not listed:
            raise EngineError("llm", "the language server lists no model: set LLM_MODEL")
        return listed[0]


def _any(messages: list[dict[str, Any]]) -> Any:
    """The client's own types for messages are one class a role."""
    return messages
