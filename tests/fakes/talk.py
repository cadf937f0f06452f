"""The thinking side of a session with fakes around it: no sound, whole turns."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from pipeline.contracts.dialogue import LanguageRequest, Origin, Passage, Transcript
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.clock import SessionClock
from pipeline.core.context import Context
from pipeline.core.conversation import Conversation
from pipeline.core.exchange import Exchange
from pipeline.core.scos import Scos
from pipeline.core.thinking import Thinking
from pipeline.core.tokens import PROMPT_TOKENS, estimated_message_tokens
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeLanguage, FakeLoad, FakeRetriever, a_spec
from tests.fakes.meter import FakeMeter

LONG = "My order has the number four seven eleven and it has not arrived at our house in the village. " * 8
"""Some 250 tokens by estimate."""
REPLY = "We are open on Saturdays from nine until two. Anything else?"
"""What the fake language engine replies."""


def length(request: LanguageRequest) -> int:
    return PROMPT_TOKENS + estimated_message_tokens(request.messages)


class Retrieved(FakeRetriever):
    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages

    def search(self, spec: AssistantSpec, question: str, limit: int = 4) -> Sequence[Passage]:
        return self._passages


class Talk:
    def __init__(
        self,
        language: FakeLanguage | None = None,
        *,
        history: Sequence[Sequence[str]] = (),
        passages: Sequence[Passage] | None = None,
        clock: FakeClock | None = None,
        **spec: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        self.language = language or FakeLanguage(self.clock)
        self.meter, self.spec = FakeMeter(), a_spec(**spec)
        self.conversation = Conversation(history)
        self.scos = Scos()
        self.tasks: set[asyncio.Task[None]] = set()
        self.context = Context(self.conversation, self.language, self.clock, self.meter, self._spawn)
        retriever = FakeRetriever() if passages is None else Retrieved(passages)
        session_clock = SessionClock(self.clock, 0.0, 0.0)
        self.thinking = Thinking(
            language=self.language,
            retriever=retriever,
            conversation=self.conversation,
            context=self.context,
            scos=self.scos,
            clock=session_clock,
            meter=self.meter,
            load=FakeLoad(),
        )
        self.exchanges: list[Exchange] = []

    @property
    def requests(self) -> list[LanguageRequest]:
        return self.language.requests

    def _spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def resume(self) -> None:
        """The leg begins."""
        self.context.after_turn(self.spec)

    async def ask(self, text: str, *, waits_s: float = 0.1, pause_s: float = 1.0) -> str:
        """A whole turn: asked, answered, told; then the visitor thinks for `pause_s`. Returns the reply.

        `waits_s`: how long the reply may take; the scripted engine takes 50 ms.
        """
        self.conversation.visitor_said(text)
        thought = asyncio.create_task(self.think(text))
        await self.clock.advance(waits_s)
        assert thought.done(), "the reply takes too long"
        reply = thought.result()
        self.conversation.agent_told(reply)
        self.context.after_turn(self.spec)
        await self.clock.advance(pause_s)
        return reply

    async def think(self, text: str, *, speculative: bool = False) -> str:
        exchange = Exchange(
            session_id="s1", leg=1, number=len(self.exchanges), origin=Origin.VOICE, spec=self.spec, version="v",
            t_audio_ms=0.0, decided_at=0.0, warmup=False, visitor=Transcript(text),
        )  # fmt: skip
        if not speculative:
            exchange.commit()
        self.exchanges.append(exchange)
        return "".join([piece async for piece in self.thinking.reply(exchange)]).strip()

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
