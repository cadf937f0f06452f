"""From the visitor's words to the text of a reply: retrieval, the language engine, fallbacks in words."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pipeline.contracts.dialogue import LanguageRequest, Usage
from pipeline.contracts.errors import ContextFull, EngineError
from pipeline.core.clock import SessionClock
from pipeline.core.context import Context
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.followup import question_in_context
from pipeline.core.interrupting import acknowledgement
from pipeline.core.ports import Language, Retriever
from pipeline.core.scos import Scos, style_line
from pipeline.core.surroundings import Load, Meter
from pipeline.core.tokens import MESSAGE_TOKENS, estimated_tokens

NOT_UNDERSTOOD = "I didn't catch that. Could you say it again?"
CANNOT_ANSWER = "I'm sorry, I can't answer just now. Please try again in a moment."
ONE_MOMENT = "One moment, please."
"""Said while a reply must wait for a rollover: silence for so long would reset the turn."""
CONTEXT_FULL = "I'm sorry, we have talked about more than I can keep in mind just now. Please ask me again in a moment."
TOO_LONG = "I'm sorry, that was more than I can take in at once. Please say it in fewer words."

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """What a reply is to be about."""

    question: str
    knowledge_tokens: int
    tokens: int
    """What the prompt has on top of the conversation: knowledge, and words that are no line yet."""
    max_tokens: int
    speculative: bool


class Thinking:
    """Shared by the turns of one session."""

    def __init__(
        self,
        *,
        language: Language,
        retriever: Retriever,
        conversation: Conversation,
        context: Context,
        scos: Scos,
        clock: SessionClock,
        meter: Meter,
        load: Load,
    ) -> None:
        self._language = language
        self._retriever = retriever
        self._conversation = conversation
        self._context = context
        self._scos = scos
        self._clock = clock
        self._meter = meter
        self._load = load

    async def reply(self, exchange: Exchange) -> AsyncGenerator[str, None]:
        """Pieces of the reply's text. A failing engine becomes a spoken apology; the failure is in the log."""
        if said := exchange.text or _without_a_model(exchange):
            yield said
            return
        started, said_something = self._clock.now_ms(), False
        try:
            asked = self._look_up(exchange)
            if not self._context.fits(exchange.spec, asked.tokens, asked.max_tokens):
                if self._context.may_shrink(asked.tokens) and not self._hopeless(exchange, asked):
                    yield f"{ONE_MOMENT} "
                await self._make_room(exchange, asked)
            async with aclosing(self._language.reply(self._request(exchange, asked))) as pieces:
                async for piece in pieces:
                    if not said_something:
                        exchange.timings.llm_first_token_ms = self._clock.now_ms() - started
                    said_something = True
                    yield piece
        except ContextFull as refusal:
            yield str(refusal)
        except EngineError:
            self._meter.failed("llm")
            log.exception("the language engine failed", extra={"session": exchange.session_id})
            yield f" {CANNOT_ANSWER}" if said_something else CANNOT_ANSWER

    def _look_up(self, exchange: Exchange) -> _Asked:
        """Of a draft, the words are not in the conversation yet."""
        said, pending = self._conversation, _pending(exchange)
        question = said.unanswered(pending) or exchange.visitor.text
        found = self._retriever.search(exchange.spec, question_in_context(question, said.questions(pending)[:-1]))
        exchange.passages, knowledge = self._context.knowledge(found)
        words = estimated_tokens(pending) + MESSAGE_TOKENS if pending else 0
        return _Asked(question, knowledge, knowledge + words, self._load.max_tokens, not exchange.committed)

    def _hopeless(self, exchange: Exchange, asked: _Asked) -> bool:
        question = estimated_tokens(asked.question) + MESSAGE_TOKENS + asked.knowledge_tokens
        return self._context.too_long(exchange.spec, question, asked.max_tokens)

    async def _make_room(self, exchange: Exchange, asked: _Asked) -> None:
        """Raises ContextFull. A draft that is committed meanwhile has its words in the conversation, counted there."""
        hopeless = self._hopeless(exchange, asked)
        if not hopeless and await self._context.make_room(exchange.spec, asked.tokens, asked.max_tokens):
            return
        self._meter.failed("context")
        log.warning("a turn was refused: the context is full", extra={"session": exchange.session_id})
        exchange.refusal = ContextFull(TOO_LONG if hopeless else CONTEXT_FULL)
        raise exchange.refusal

    def _request(self, exchange: Exchange, asked: _Asked) -> LanguageRequest:
        spec = exchange.spec
        tokens = self._context.tokens(spec, asked.tokens)
        self._meter.prompt(tokens, speculative=asked.speculative)
        return LanguageRequest(
            messages=self._conversation.messages(spec, _pending(exchange)),
            question=asked.question,
            passages=exchange.passages,
            confidence_threshold=spec.confidence_threshold,
            max_tokens=asked.max_tokens,
            speculative=not exchange.committed,
            session_id=exchange.session_id,
            assistant_name=spec.assistant_name,
            business_name=spec.tenant_name,
            style=self._style(),
            on_usage=lambda usage: self._served(tokens, usage, speculative=not exchange.committed),
        )

    def _style(self) -> str:
        signals = self._scos.signals()
        self._meter.signals(signals.verbosity_level, signals.clarification_confidence)
        return style_line(signals, terse=self._load.terse)

    def _served(self, reckoned: int, usage: Usage, *, speculative: bool) -> None:
        self._meter.usage(usage, speculative=speculative)
        self._context.served(reckoned, usage.prompt_tokens)


def _pending(exchange: Exchange) -> str:
    return "" if exchange.committed else exchange.visitor.text


def _without_a_model(exchange: Exchange) -> str:
    """What needs no thought: nothing was understood, or the visitor said "stop" where nothing was to be stopped."""
    return acknowledgement(exchange.visitor.text) if exchange.visitor.text else NOT_UNDERSTOOD
