"""How much a prompt holds: counts the lines, and turns the older ones into the Session State block in time.

All work is done between turns, in a task of the session; a reply waits for it only if it would not fit otherwise, and
never longer than ROLLOVER_LIMIT_S. Nothing is ever cut off a prompt: what does not fit is refused, in words.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pipeline.contracts.dialogue import Message, Passage
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import MAX_REPLY_TOKENS, ROLLOVER_LIMIT_S
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.conversation import Conversation, pinned_prefix, session_state
from pipeline.core.deadline import within
from pipeline.core.ports import Clock, Language
from pipeline.core.rollover import Allowance, bounded, next_part, older_lines
from pipeline.core.surroundings import Meter
from pipeline.core.tokens import MESSAGE_TOKENS, PROMPT_TOKENS, estimated_message_tokens, estimated_tokens

KNOWLEDGE_TOKENS: Final = 160
"""What a language engine says around the passages and a style line (engines.grounding), at most."""
_MOST_SCALE: Final = 4.0
_BATCH: Final = 16
"""Lines counted in one go; between two batches others may have the server."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A Session State block that has not taken the place of its lines yet."""

    lines: int
    state: str
    lost: int
    """`Conversation.lost` when it was begun: lines that went meanwhile make it void."""


class Context:
    """Of one session. `spawn(name, coroutine)` runs a task of the session."""

    def __init__(
        self,
        conversation: Conversation,
        language: Language,
        clock: Clock,
        meter: Meter,
        spawn: Callable[[str, Coroutine[Any, Any, None]], None],
    ) -> None:
        self.budget = Allowance.of(language.context_tokens)
        self._conversation = conversation
        self._language = language
        self._clock = clock
        self._meter = meter
        self._spawn = spawn
        self._spec: AssistantSpec | None = None
        self._prefix_tokens = 0
        self._counted: set[str] = set()
        """Of `prefix` and `state`: which are counted by the model's own tokenizer."""
        self._counts = True
        """False once the engine said that it has no tokenizer."""
        self._most_asked = 0
        self._scale = 1.0
        """What the server counts for one of our tokens, at worst; never less than 1."""
        self._prepared: _Prepared | None = None
        self._work: asyncio.Future[bool] | None = None

    # What the session calls -----------------------------------------------------------------------------------------

    def after_turn(self, spec: AssistantSpec) -> None:
        """A turn is over, or a leg begins: count and prepare what is due, in the background. Never waits."""
        self._learn(spec)
        if self._uncounted() or self._crowded():
            self._begin(None)

    def fits(self, spec: AssistantSpec, asked: int, reply: int) -> bool:
        """Whether a prompt with `asked` tokens more than the conversation has, and its reply, fit as things are.

        What is prepared takes its place when it is time, or when there is no room without it.
        """
        self._most_asked = max(self._most_asked, min(asked, self.budget.knowledge))
        tokens = self.tokens(spec, asked)
        if tokens >= self.budget.rollover or tokens + reply > self.budget.cap:
            self._apply()
        return self.tokens(spec, asked) + reply <= self.budget.cap

    def may_shrink(self, asked: int) -> bool:
        """Whether a rollover could make room for `asked` tokens."""
        return self._work is not None or self._older(asked) > 0

    async def make_room(self, spec: AssistantSpec, asked: int, reply: int) -> bool:
        """`fits`, after a rollover where it takes one: waits at most ROLLOVER_LIMIT_S for that."""
        deadline = self._clock.now() + ROLLOVER_LIMIT_S
        while not self.fits(spec, asked, reply):
            if not await self._rolled_over(deadline, asked):
                return False
        return True

    def tokens(self, spec: AssistantSpec, asked: int = 0) -> int:
        """The prompt's length: a sum of what was counted before."""
        self._learn(spec)
        said = self._conversation
        return self._scaled(PROMPT_TOKENS + self._prefix_tokens + said.state_tokens + said.tokens + asked)

    def served(self, reckoned: int, counted: int) -> None:
        """The server counted a prompt that `tokens` had said to have `reckoned`. It is right: we reckon with more from
        now on, if it is more."""
        if counted > reckoned > 0:
            if self._scale == 1.0:
                log.warning("a prompt of %d tokens was reckoned at %d: from now on with more", counted, reckoned)
            self._scale = min(_MOST_SCALE, self._scale * counted / reckoned)

    def too_long(self, spec: AssistantSpec, question: int, reply: int) -> bool:
        """Whether a question that has, with its knowledge, so many tokens would not fit into an empty conversation."""
        self._learn(spec)
        return self._scaled(PROMPT_TOKENS + self._prefix_tokens + question) + reply > self.budget.cap

    def knowledge(self, passages: Sequence[Passage]) -> tuple[tuple[Passage, ...], int]:
        """The best passages that fit into their share of the prompt, and their tokens with all that is put around."""
        fitting: list[Passage] = []
        left = self.budget.knowledge
        for passage in passages:
            needed = _passage_tokens(passage.title, passage.text)
            if needed > left:
                log.info("knowledge left out of a prompt: passage %s is too long (%d tokens)", passage.id, needed)
                continue
            fitting.append(passage)
            left -= needed
        return tuple(fitting), self.budget.knowledge - left + KNOWLEDGE_TOKENS

    # Inside ---------------------------------------------------------------------------------------------------------

    def _scaled(self, tokens: int) -> int:
        return tokens if self._scale == 1.0 else math.ceil(tokens * self._scale)

    def _learn(self, spec: AssistantSpec) -> None:
        if spec is not self._spec:
            self._spec, self._prefix_tokens = spec, estimated_message_tokens(pinned_prefix(spec))
            self._counted.discard("prefix")

    def _uncounted(self) -> bool:
        return self._counts and (
            "prefix" not in self._counted
            or (bool(self._conversation.state) and "state" not in self._counted)
            or any(not line.counted for line in self._conversation.lines)
        )

    def _crowded(self) -> bool:
        """Whether a Session State block should be made now, so that it is there in time."""
        if self._spec is None or self._valid() is not None:
            return False
        return self.tokens(self._spec, self._most_asked) >= self.budget.prepare and self._older() > 0

    def _older(self, asked: int = 0) -> int:
        """How many lines may go, so that what stays leaves room for `asked` tokens and a reply."""
        budget = self.budget
        fixed = PROMPT_TOKENS + self._prefix_tokens + budget.state + max(asked, self._most_asked)
        room = int((budget.cap - MAX_REPLY_TOKENS) / self._scale) - fixed
        return older_lines(self._conversation.lines, max(0, min(budget.kept, room // 2)))

    def _valid(self) -> _Prepared | None:
        if self._prepared is not None and self._prepared.lost != self._conversation.lost:
            self._prepared = None
        return self._prepared

    def _apply(self) -> bool:
        """The prepared block takes the place of its lines. Nobody waits: between two prompts it may happen any time."""
        prepared = self._valid()
        if prepared is None:
            return False
        self._prepared = None
        self._counted.discard("state")
        self._conversation.roll_over(prepared.lines, prepared.state)
        self._meter.rollover("done")
        log.info("rollover: %d lines became the session state", prepared.lines)
        return True

    async def _rolled_over(self, deadline: float, asked: int) -> bool:
        """Wait for the work under way, or for work begun now. False: it failed, took too long, or there is none."""
        if not self.may_shrink(asked):
            return False
        work = self._begin(asked)
        left = deadline - self._clock.now()
        try:
            return left > 0 and await within(self._clock, left, asyncio.shield(work))
        except TimeoutError:
            return False

    def _begin(self, needed: int | None) -> "asyncio.Future[bool]":
        """`needed`: a reply waits for room for so many tokens; None: nobody waits."""
        if self._work is None:
            self._work = asyncio.get_running_loop().create_future()
            self._spawn("context", self._run(self._work, needed))
        return self._work

    async def _run(self, work: "asyncio.Future[bool]", needed: int | None) -> None:
        done = False
        try:
            await self._count()
            done = await self._roll(needed)
        except Exception:  # the call goes on: the next turn tries again, or is refused in words
            self._meter.rollover("failed")
            log.exception("the context could not be looked after")
        finally:
            self._work = None
            work.set_result(done)

    async def _roll(self, needed: int | None) -> bool:
        """Prepare blocks while there is need. False: it failed."""
        while needed is not None or self._crowded():
            if not await self._prepare(needed or 0):
                return False
            if needed is None and self.tokens(self._current, self._most_asked) < self.budget.rollover:
                break
            needed = None
            self._apply()
        return True

    @property
    def _current(self) -> AssistantSpec:
        assert self._spec is not None
        return self._spec

    async def _prepare(self, needed: int) -> bool:
        said, lost = self._conversation, self._conversation.lost
        count, requests = next_part(said.lines, self._older(needed), int(self.budget.summary_input / self._scale))
        state = said.state
        try:
            for lines in requests:
                before = [Message("system", state)] if state else []
                summary = self._language.summarise([*before, *lines])
                state = bounded((await within(self._clock, ROLLOVER_LIMIT_S, summary)).strip(), self.budget.state)
        except TimeoutError:
            self._meter.rollover("late")
            log.warning("rollover: the summary took more than %g s", ROLLOVER_LIMIT_S)
            return False
        except EngineError as error:
            self._meter.rollover("failed")
            log.warning("rollover: no summary: %s", error)
            return False
        if count and state:
            self._prepared = _Prepared(count, state, lost)
        return bool(count and state)

    async def _count(self) -> None:
        """The model's own counts in place of estimates. Where they fail the estimates stay."""
        try:
            while self._uncounted():
                await within(self._clock, ROLLOVER_LIMIT_S, self._count_some())
        except (EngineError, TimeoutError) as error:
            log.warning("tokens could not be counted, estimates stay: %s", error or "took too long")

    async def _count_some(self) -> None:
        spec, said, state = self._current, self._conversation, self._conversation.state
        lines = [line for line in said.lines if not line.counted][:_BATCH]
        fixed = {"prefix": pinned_prefix(spec), "state": session_state(state)}
        wanted = [name for name in fixed if name not in self._counted]
        texts = [message.content for name in wanted for message in fixed[name]]
        counts = await self._language.count([*texts, *(line.content for line in lines)])
        if counts is None:
            self._counts = False
            return
        left = iter(counts)
        for name in wanted:
            self._take(name, sum(next(left) + MESSAGE_TOKENS for _ in fixed[name]), spec, state)
        for line, tokens in zip(lines, left, strict=True):
            said.recount(line, tokens)

    def _take(self, name: str, tokens: int, spec: AssistantSpec, state: str) -> None:
        """The count of a fixed part, unless it has changed while it was counted."""
        if name == "prefix" and spec is self._spec:
            self._prefix_tokens = tokens
        elif name == "state" and state == self._conversation.state:
            self._conversation.state_tokens = tokens
        else:
            return
        self._counted.add(name)


@lru_cache(maxsize=512)
def _passage_tokens(title: str, text: str) -> int:
    return estimated_tokens(title) + estimated_tokens(text) + MESSAGE_TOKENS
