"""From the visitor's words to the text of a reply: retrieval, the language engine, fallbacks in words."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipeline.contracts.dialogue import LanguageRequest
from pipeline.contracts.errors import EngineError
from pipeline.core.clock import SessionClock
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.followup import question_in_context
from pipeline.core.interrupting import acknowledgement
from pipeline.core.ports import Language, Load, Meter, Retriever

NOT_UNDERSTOOD = "I didn't catch that. Could you say it again?"
CANNOT_ANSWER = "I'm sorry, I can't answer just now. Please try again in a moment."

CHARS_PER_TOKEN = 4
"""Of English text, by the rule of thumb that tokenizer vendors publish: an estimate, for the metric only."""

log = logging.getLogger(__name__)


class Thinking:
    """Shared by the turns of one session."""

    def __init__(
        self,
        language: Language,
        retriever: Retriever,
        conversation: Conversation,
        clock: SessionClock,
        meter: Meter,
        load: Load,
    ) -> None:
        self._language = language
        self._retriever = retriever
        self._conversation = conversation
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
            async with aclosing(self._language.reply(self._request(exchange))) as pieces:
                async for piece in pieces:
                    if not said_something:
                        exchange.timings.llm_first_token_ms = self._clock.now_ms() - started
                    said_something = True
                    yield piece
        except EngineError:
            self._meter.failed("llm")
            log.exception("the language engine failed", extra={"session": exchange.session_id})
            yield f" {CANNOT_ANSWER}" if said_something else CANNOT_ANSWER

    def _request(self, exchange: Exchange) -> LanguageRequest:
        """Of a draft, the words are not in the conversation yet."""
        pending = "" if exchange.committed else exchange.visitor.text
        spec, question = exchange.spec, self._conversation.unanswered(pending) or exchange.visitor.text
        earlier = self._conversation.questions(pending)[:-1]
        passages = tuple(self._retriever.search(spec, question_in_context(question, earlier)))
        exchange.passages = passages
        messages = self._conversation.messages(spec, pending)
        tokens = sum(len(message.content) for message in messages) // CHARS_PER_TOKEN
        self._meter.prompt(tokens, speculative=not exchange.committed)
        return LanguageRequest(
            messages=messages,
            question=question,
            passages=passages,
            confidence_threshold=spec.confidence_threshold,
            max_tokens=self._load.max_tokens,
            speculative=not exchange.committed,
            session_id=exchange.session_id,
            assistant_name=spec.assistant_name,
            business_name=spec.tenant_name,
        )


def _without_a_model(exchange: Exchange) -> str:
    """What needs no thought: nothing was understood, or the visitor said "stop" where nothing was to be stopped."""
    return acknowledgement(exchange.visitor.text) if exchange.visitor.text else NOT_UNDERSTOOD
