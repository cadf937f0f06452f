"""The audio websocket: a visitor's sound where UDP is blocked, relayed to the worker's audio door.

No consumer, no channel layer and no database once the session is placed: what comes from one end goes out at the other.
Whoever is slow is waited for (the page) or not waited for (sound that a stuck worker does not take); nothing piles up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from channels.db import database_sync_to_async
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from pipeline.contracts import wire
from pipeline.contracts.errors import MediaError
from sessions_app.edge import calls, problems
from sessions_app.edge.problems import NotFound
from sessions_app.edge.sockets import (
    PROTOCOL,
    CloseCode,
    Pace,
    Refused,
    admitted_token,
    check_origin,
    close_reason,
)
from sessions_app.operations.admission import SessionOver, TooMany
from sessions_app.tenants.addresses import socket_address
from sessions_app.usage.quotas import QuotaExceeded

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 16_000
PACKETS_PER_S = 70
"""50 of sound, and what else a page says."""
BURST = 400
WAITING = 64
"""Messages for a worker that takes none: more than a second of sound."""
CONNECT_LIMIT_S = 3.0
STUCK_LIMIT_S = 5.0
NO_CODE = 1005
ABNORMAL = 1011
LOST = (CloseCode.TRY_AGAIN, "The line was lost. Try again.")

Placed = tuple[int, ClientConnection]
Ending = tuple[int, str]
"""Close code and reason."""


async def audio(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
    """The ASGI application of one such socket."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL if PROTOCOL in scope["subprotocols"] else None})
    page = Page(scope, receive, send)
    try:
        placed = await _unless_left(page, _placed(scope, page))
    except Refused as refused:
        await page.close(refused.code, str(refused))
    except (OSError, TimeoutError, WebSocketException) as error:
        log.warning("audio_door_shut", error=type(error).__name__, text=str(error))
        await page.close(*LOST)
    except Exception as error:
        await _refuse(page, error)
    else:
        if placed is not None:
            leg, worker = placed
            await page.say({"type": "answer", "leg": leg})
            await _relay(page, worker)


async def _placed(scope: dict[str, Any], page: "Page") -> Placed:
    """The session on a worker, as its next leg, with the way to it. Raises Refused and what `calls.take_offer` does."""
    token = admitted_token(scope, "visitor")
    await check_origin(scope, token)
    session = await database_sync_to_async(calls.find_session)(token.tenant_id, token.session_id)

    async def on_place(place: int) -> None:
        await page.say({"type": "queued", "place": place})

    address = socket_address(scope)
    answer = await calls.take_offer(session, "", on_place, address=address, transport="websocket")
    async with asyncio.timeout(CONNECT_LIMIT_S):
        return answer.leg, await _door(answer)


async def _unless_left(page: "Page", placing: Coroutine[Any, Any, Placed]) -> Placed | None:
    """None when the page has gone meanwhile: nobody needs the seat. What it says unanswered is for nobody."""
    work, left = asyncio.ensure_future(placing), asyncio.ensure_future(page.leaves())
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else left.result()
    finally:
        for task in (work, left):
            task.cancel()
        await asyncio.gather(work, left, return_exceptions=True)


async def _door(answer: wire.Answer) -> ClientConnection:
    options: dict[str, Any] = {
        "additional_headers": {"Authorization": f"Bearer {answer.ticket}"},
        "compression": None,
        "open_timeout": CONNECT_LIMIT_S,
        "close_timeout": 1,
        "max_size": 64 * 1024,
        "max_queue": 4,
    }
    if answer.audio.startswith("unix:"):
        return await unix_connect(answer.audio.removeprefix("unix:"), **options)
    if not answer.audio:
        raise OSError("the worker named no audio door")
    return await connect(answer.audio, proxy=None, **options)


class Page:
    """The browser's end."""

    def __init__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        self._receive, self._send = receive, send
        self._reader = scope.get("extensions", {}).get("goassist.reader")
        self._pace = Pace(per_s=PACKETS_PER_S, burst=BURST)
        self.left: int | None = None
        """The close code that it went with, once it has."""

    async def leaves(self) -> None:
        """Returns when it does."""
        while await self.hear() is not None:
            pass

    async def hear(self) -> str | bytes | None:
        """The next message; None when it has left. Raises Refused."""
        if self.left is not None:
            return None
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            self.left = int(event.get("code") or NO_CODE)
            return None
        message: str | bytes | None = event.get("bytes")
        if message is None:
            message = event.get("text") or ""
        if len(message) > MAX_MESSAGE_BYTES:
            raise Refused(CloseCode.BAD_MESSAGE, f"Messages have at most {MAX_MESSAGE_BYTES} bytes.")
        if not self._pace.admits():
            raise Refused(CloseCode.TOO_MANY, "Too many messages.")
        return message

    async def tell(self, message: str | bytes) -> None:
        """Waits while the page takes less than it is sent (edge.server drops one that is stuck)."""
        if self._reader is not None:
            await self._reader.ready.wait()
        kind = "text" if isinstance(message, str) else "bytes"
        await self._send({"type": "websocket.send", kind: message})

    async def say(self, message: dict[str, Any]) -> None:
        await self.tell(json.dumps(message))

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": int(code), "reason": close_reason(reason)})


async def _relay(page: Page, worker: ClientConnection) -> None:
    """Until one end closes; the other is closed with its code. Cancelled: the worker waits for the next leg."""
    waiting: asyncio.Queue[str | bytes] = asyncio.Queue(WAITING)
    tasks = {
        asyncio.create_task(_listen(page, waiting), name="audio page to relay"),
        asyncio.create_task(_forward(waiting, worker), name="audio relay to worker"),
        asyncio.create_task(_bring(worker, page), name="audio worker to page"),
    }
    ending: Ending = (ABNORMAL, "")
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ending = _ending_of(done.pop())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await worker.close(_tellable(ending[0]), close_reason(ending[1]))
    if page.left is None:
        await page.close(*ending)


def _ending_of(task: "asyncio.Task[Ending]") -> Ending:
    try:
        return task.result()
    except Refused as refused:
        return refused.code, str(refused)


async def _listen(page: Page, waiting: "asyncio.Queue[str | bytes]") -> Ending:
    """Always takes what the page sends. What a stuck worker has no room for goes, the oldest first: sound of then."""
    while (heard := await page.hear()) is not None:
        if waiting.full():
            waiting.get_nowait()
        waiting.put_nowait(heard)
    return page.left or NO_CODE, ""


async def _forward(waiting: "asyncio.Queue[str | bytes]", worker: ClientConnection) -> Ending:
    try:
        while True:
            message = await waiting.get()
            async with asyncio.timeout(STUCK_LIMIT_S):
                await worker.send(message)
    except (ConnectionClosed, TimeoutError):
        return _closed(worker)


async def _bring(worker: ClientConnection, page: Page) -> Ending:
    try:
        async for message in worker:
            await page.tell(message)
    except ConnectionClosed:
        pass
    return _closed(worker)


def _closed(worker: ClientConnection) -> Ending:
    """Why the worker's end is closed, as the page is told."""
    code, reason = worker.close_code, worker.close_reason
    if code in set(CloseCode):
        return int(code or 0), reason or ""
    return LOST


def _tellable(code: int) -> int:
    """For the worker. A page that closed without a code has left; one that vanished may come back."""
    if code == NO_CODE:
        return int(CloseCode.DONE)
    return code if code in (1000, 1001) or 4000 <= code < 5000 else ABNORMAL


async def _refuse(page: Page, error: Exception) -> None:
    """In words: an error message, as on the signaling socket, and a close code."""
    described = problems.describe(error)
    if described is None:
        log.error("audio_socket_failed", exc_info=error)
        text = "Something went wrong here. It has been logged."
        await page.say({"type": "error", "code": "internal", "text": text})
        await page.close(CloseCode.TRY_AGAIN, text)
        return
    members = described[1]
    retry: dict[str, Any] = {name: members[name] for name in ("retry_after_s", "place") if name in members}
    code = members.get("code", "refused")
    await page.say({"type": "error", "code": code, "text": members["detail"], **retry})
    await page.close(_code_of(error), members["detail"])


def _code_of(error: Exception) -> CloseCode:
    match error:
        case SessionOver():
            return CloseCode.ENDED
        case TooMany() | QuotaExceeded():
            return CloseCode.TOO_MANY
        case NotFound():
            return CloseCode.NOT_FOUND
        case MediaError():
            return CloseCode.BAD_MESSAGE
    return CloseCode.TRY_AGAIN
