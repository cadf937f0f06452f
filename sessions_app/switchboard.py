"""The only room that speaks to workers: messages of `pipeline.contracts.wire` on the channel layer.

Channel layers deliver at most once and may deliver late: every request has a deadline and a reply channel of its own,
so a reply that comes too late finds nobody. Which worker takes an offer nobody decides here: only a worker with a
free seat is receiving (`wire.offers_channel`), so silence until the deadline means that the house is full.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from pipeline.contracts import wire
from pipeline.contracts.errors import BusyError, EngineError, MediaError, PipelineError, SpecError
from pipeline.contracts.numbers import LLM_STREAM_LIMIT_S, OFFER_DEADLINE_S
from pipeline.contracts.spec import AssistantSpec
from sessions_app.deadlines import within

log = structlog.get_logger(__name__)

CHAT_DEADLINE_S = LLM_STREAM_LIMIT_S + 5.0
"""The model may stream this long; the rest is for the way there and back."""
SIGN_OF_LIFE_S = 4.0
"""A worker that was asked something lets hear of itself (any event of the session) within this time, or it is gone."""
ROLL_CALL_S = 0.25
"""A worker that does not report in this time is not there, or in no state to take anybody."""


class Unreachable(PipelineError):
    """The channel layer itself does not answer."""

    code = "unavailable"
    retryable = True


class MailboxSilent(PipelineError):
    """Nobody answers at this mailbox, or whoever does no longer holds the session: offer it again."""

    code = "gone"
    retryable = True


_home: asyncio.AbstractEventLoop | None = None
_news: set[asyncio.Task[None]] = set()


def live_on(loop: asyncio.AbstractEventLoop | None) -> None:
    """Names the loop on which this process uses its channel layer. An in-memory layer works within one loop only."""
    global _home
    _home = loop


async def place(
    *,
    session_id: str,
    leg: int,
    spec: AssistantSpec,
    sdp: str,
    history: list[list[str]],
    created_at: float,
    transport: str = "webrtc",
    record: bool = False,
    pool: str = "default",
    deadline_s: float = OFFER_DEADLINE_S,
) -> wire.Answer:
    """Offers the session to whoever has a free seat. `sdp` is empty for a conversation in writing, and for one whose
    sound comes over a websocket (`transport`).

    `created_at`: epoch seconds at which the session's audio clock read zero. Raises BusyError when nobody took it in
    `deadline_s`, MediaError, SpecError or EngineError when a worker refused it, Unreachable without a channel layer.
    """
    async with _reply_channel() as (layer, reply_to):
        offer = wire.Offer(
            session_id=session_id,
            leg=leg,
            spec=spec.to_manifest(),
            sdp=sdp,
            reply_to=reply_to,
            deadline=time.time() + deadline_s,
            history=history,
            created_at=created_at,
            transport=transport,
            record=record,
        )
        try:
            await layer.send(wire.offers_channel(pool), offer.to_wire())
            reply = await within(deadline_s, _answer_to(layer, reply_to, session_id))
        except (TimeoutError, ChannelFull) as error:
            raise BusyError("All lines are taken. Please try again in a moment.") from error
    if isinstance(reply, wire.Refusal):
        raise refused(reply)
    if not isinstance(reply, wire.Answer) or reply.leg != leg:
        raise PipelineError(f"a worker answered the offer with {reply.type}")
    return reply


async def tell(mailbox: str, message: wire.Wired) -> None:
    """Puts a message into a worker's mailbox; nobody waits for an answer.

    Raises MailboxSilent when the mailbox is full (nobody empties it), Unreachable without a channel layer.
    """
    async with guarded():
        try:
            await _layer().send(mailbox, message.to_wire())
        except ChannelFull as error:
            raise MailboxSilent("The line is not answering.") from error


async def ask_chat(
    mailbox: str,
    session_id: str,
    text: str,
    *,
    message_id: str = "",
    deadline_s: float = CHAT_DEADLINE_S,
    sign_of_life_s: float = SIGN_OF_LIFE_S,
) -> wire.ChatReply:
    """What the assistant replies to the visitor's typed words. Sent again with their `message_id` they are not said
    again.

    Listens to the session's events meanwhile: a worker that is at work on a long reply shows it there, a dead one
    is silent. Raises MailboxSilent, EngineError, BusyError or Unreachable.
    """
    async with _reply_channel() as (layer, reply_to):
        group = wire.events_group(session_id)
        await layer.group_add(group, reply_to)
        try:
            chat = wire.Chat(session_id=session_id, text=text, reply_to=reply_to, id=message_id)
            await layer.send(mailbox, chat.to_wire())
            reply = await within(deadline_s, _answer_to(layer, reply_to, session_id, sign_of_life_s))
        except (TimeoutError, ChannelFull) as error:
            raise MailboxSilent("The line is not answering.") from error
        finally:
            await layer.group_discard(group, reply_to)
    if isinstance(reply, wire.ChatReply):
        return reply
    if isinstance(reply, wire.Refusal):
        raise refused(reply)
    raise PipelineError(f"a worker answered a chat message with {reply.type}")


async def roll_call(*, wait_s: float = ROLL_CALL_S) -> AsyncGenerator[wire.Report, None]:
    """How the workers stand: asks all of them, and yields what comes within `wait_s`. Raises Unreachable."""
    async with _reply_channel() as (layer, reply_to):
        await layer.group_send(wire.WORKERS_GROUP, wire.RollCall(reply_to).to_wire())
        ends_s = time.monotonic() + wait_s
        with contextlib.suppress(TimeoutError):
            while True:
                message = await within(ends_s - time.monotonic(), layer.receive(reply_to))
                yield wire.Report.from_wire(message)


async def muster() -> list[wire.Report]:
    """How every worker stands that answers in time, by name; none without a channel layer."""
    try:
        return sorted([report async for report in roll_call()], key=lambda report: report.worker)
    except Unreachable:
        return []


def muster_from_anywhere() -> list[wire.Report]:
    """For code that runs in a thread; asks on the layer's own loop."""
    if _home is not None and _home.is_running():
        return asyncio.run_coroutine_threadsafe(muster(), _home).result(timeout=2 * SIGN_OF_LIFE_S)
    return async_to_sync(muster)()


async def all_reject(pool: str) -> bool:
    """Whether every worker of the pool refuses new sessions. False as soon as one does not, and where none answers."""
    rejecting = False
    try:
        async with contextlib.aclosing(roll_call()) as reports:
            async for report in reports:
                if report.pool == pool and not report.rejects:
                    return False
                rejecting = rejecting or report.pool == pool
    except Unreachable:
        return False
    return rejecting


def announce(spec: AssistantSpec) -> None:
    """Tells every worker that this version is live now. Safe from any thread.

    Raises nothing when the layer is away: who missed the news uses the new version from the next session on.
    """
    message = wire.SpecChanged(assistant_id=spec.assistant_id, spec=spec.to_manifest()).to_wire()
    _tell_from_anywhere(wire.WORKERS_GROUP, message)


async def watch(session_id: str) -> None:
    """Somebody watches this session's face: whichever worker holds it sends frames for a while. Loss is allowed."""
    await _tell_group(wire.WORKERS_GROUP, wire.Watch(session_id).to_wire())


async def tell_watchers(session_id: str, message: dict[str, Any]) -> None:
    """Hands a group message to the session's sockets. Loss is allowed."""
    await _tell_group(wire.events_group(session_id), message)


def refused(refusal: wire.Refusal) -> PipelineError:
    """A worker's refusal as the error that it stands for."""
    if refusal.code == EngineError.code:
        return EngineError("worker", refusal.text)
    kinds: dict[str, type[PipelineError]] = {kind.code: kind for kind in (BusyError, MediaError, SpecError)}
    return kinds.get(refusal.code, MailboxSilent)(refusal.text)


def _layer() -> Any:
    layer = get_channel_layer()
    if layer is None:
        raise Unreachable("No channel layer is configured.")
    return layer


@asynccontextmanager
async def guarded() -> AsyncIterator[None]:
    """Turns the layer's own network errors into one that callers know."""
    try:
        yield
    except (RedisError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise Unreachable("The exchange cannot be reached. Please try again in a moment.") from error


@asynccontextmanager
async def _reply_channel() -> AsyncIterator[tuple[Any, str]]:
    async with guarded():
        layer = _layer()
        yield layer, await layer.new_channel()


async def _answer_to(
    layer: Any, reply_to: str, session_id: str, silence_s: float | None = None
) -> wire.Answer | wire.ChatReply | wire.Refusal:
    """The first message on the reply channel that is a reply to this session; anything else only shows life.

    Raises TimeoutError when nothing at all comes for `silence_s`.
    """
    kinds: dict[str, Any] = {kind.type: kind for kind in (wire.Answer, wire.ChatReply, wire.Refusal)}
    while True:
        message = await within(silence_s, layer.receive(reply_to))
        kind = kinds.get(message.get("type", ""))
        if kind is not None and message.get("session_id") == session_id:
            return kind.from_wire(message)


async def _tell_group(group: str, message: dict[str, Any]) -> None:
    try:
        async with guarded():
            await _layer().group_send(group, message)
    except (Unreachable, TimeoutError):
        log.warning("news_not_sent", group=group, type=message["type"])


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _tell_from_anywhere(group: str, message: dict[str, Any]) -> None:
    """Sends on the layer's own loop, wherever the caller is; without one (a command line) on a loop of its own."""
    running, home = _running_loop(), _home
    if home is not None and home.is_running() and home is not running:
        asyncio.run_coroutine_threadsafe(_tell_group(group, message), home)
    elif running is not None:
        task = running.create_task(_tell_group(group, message))
        _news.add(task)
        task.add_done_callback(_news.discard)
    else:
        async_to_sync(_tell_group)(group, message)
