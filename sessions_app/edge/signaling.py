"""The signaling websocket: offer and answer, candidates, chat, live events (docs/architecture.md).

Losing this socket does not end the call: the worker watches the media itself.
"""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, Literal

import structlog
from pydantic import ValidationError

from sessions_app.edge import calls, problems
from sessions_app.edge.schemas import (
    CandidateMessage,
    ChatMessage,
    HangupMessage,
    OfferMessage,
    SocketMessage,
    socket_message,
)
from sessions_app.edge.sockets import MAX_MESSAGE_CHARS, CloseCode, SessionSocket
from sessions_app.operations.admission import SessionOver
from sessions_app.tenants.addresses import socket_address

log = structlog.get_logger(__name__)

MAX_CHATS_WAITING = 4
MAX_OFFERS_WAITING = 16
MAX_CANDIDATES = 64
"""Of an offer that nobody has taken yet; a browser finds a dozen or two."""


class SignalingConsumer(SessionSocket):
    opened_by: Literal["visitor"] = "visitor"

    async def connect(self) -> None:
        self.chats: set[asyncio.Task[None]] = set()
        self.offers: set[asyncio.Task[None]] = set()
        self.one_offer = asyncio.Lock()
        self.queued = False
        """The offer under way waits in the queue for a seat."""
        self.candidates: list[CandidateMessage] = []
        await super().connect()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.over:
            return
        if not self.pace.admits():
            await self.end(CloseCode.TOO_MANY, "Too many messages.")
        elif text_data is None or len(text_data) > MAX_MESSAGE_CHARS:
            await self.end(CloseCode.BAD_MESSAGE, f"Messages are JSON text of at most {MAX_MESSAGE_CHARS} characters.")
        else:
            await self._receive(text_data)

    async def _receive(self, text: str) -> None:
        try:
            message = socket_message.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            # The location is (type, field, ...); without a field it is no message of ours at all.
            if len(first["loc"]) < 2:
                await self.end(CloseCode.BAD_MESSAGE, "Not a message that this socket knows.")
            else:
                field = ".".join(map(str, first["loc"][1:]))
                await self.say_error("bad_message", f"{field}: {first['msg']}")
            return
        await self._handle(message)

    async def _handle(self, message: SocketMessage) -> None:
        match message:
            case OfferMessage():
                await self._begin_offer(message)
            case CandidateMessage() if self.offers:
                self.candidates = [*self.candidates, message][-MAX_CANDIDATES:]
            case CandidateMessage():
                await self._guarded(self._candidate(message))
            case ChatMessage():
                await self._begin_chat(message)
            case HangupMessage():
                self.over = True
                await self._forget_offers()
                await self._guarded(self._hang_up())
                await self.close(int(CloseCode.DONE), "Goodbye.")

    async def _begin_offer(self, message: OfferMessage) -> None:
        """In a task of its own, for a visitor that waits for a seat may hang up. One after the other; an offer that
        waits in the queue gives way to the next, which keeps the place."""
        if self.queued:
            await self._forget_offers()
        if len(self.offers) >= MAX_OFFERS_WAITING:
            await self.say_error("busy", "Please wait for the answers to your other offers.")
            return
        task = asyncio.create_task(self._guarded(self._offer(message)))
        self.offers.add(task)
        task.add_done_callback(self.offers.discard)

    async def _offer(self, message: OfferMessage) -> None:
        async with self.one_offer:
            try:
                session, address = await self.session(), socket_address(self.scope)
                answer = await calls.take_offer(session, message.sdp, self._on_place, address=address)
            finally:
                self.queued = False
            await self.say({"type": "answer", "sdp": answer.sdp, "leg": answer.leg})
            candidates, self.candidates = self.candidates, []
            for candidate in candidates:
                await self._guarded(self._candidate(candidate))

    async def _on_place(self, place: int) -> None:
        self.queued = True
        await self.say({"type": "queued", "place": place})

    async def _forget_offers(self) -> None:
        offers, self.candidates = list(self.offers), []
        for task in offers:
            task.cancel()
        await asyncio.gather(*offers, return_exceptions=True)

    async def _candidate(self, message: CandidateMessage) -> None:
        session = await self.session()
        await calls.add_candidate(session, message.candidate, message.sdpMid, message.sdpMLineIndex)

    async def _begin_chat(self, message: ChatMessage) -> None:
        """In a task of its own: events go on while the assistant thinks."""
        if len(self.chats) >= MAX_CHATS_WAITING:
            await self.say_error("busy", "Please wait for the replies to your other messages.", id=message.id)
            return
        task = asyncio.create_task(self._guarded(self._chat(message), id=message.id))
        self.chats.add(task)
        task.add_done_callback(self.chats.discard)

    async def _chat(self, message: ChatMessage) -> None:
        async def on_place(place: int) -> None:
            await self.say({"type": "queued", "place": place, "id": message.id})

        reply = await calls.chat(await self.session(), message.text, on_place, address=socket_address(self.scope))
        await self.say({"type": "chat_reply", "id": message.id, "turn_id": reply.turn_id, "text": reply.text})

    async def _hang_up(self) -> None:
        await calls.hang_up(await self.session(), "hangup")

    async def _guarded(self, work: Awaitable[None], **members: Any) -> None:
        """Errors in words; the socket stays open unless the session is over."""
        try:
            await work
        except SessionOver as error:
            await self.say_error("session_over", str(error), **members)
            await self.end(CloseCode.ENDED, str(error))
        except Exception as error:
            described = problems.describe(error)
            if described is None:
                log.error("socket_failed", exc_info=error)
                await self.say_error("internal", "Something went wrong here. It has been logged.", **members)
                return
            _, problem = described
            retry = {name: problem[name] for name in ("retry_after_s", "place") if name in problem}
            await self.say_error(problem.get("code", "refused"), problem["detail"], **retry, **members)

    async def say(self, message: dict[str, Any]) -> None:
        if not self.over:
            await self.send(text_data=json.dumps(message, ensure_ascii=False))

    async def say_error(self, code: str, text: str, **members: Any) -> None:
        await self.say({"type": "error", "code": code, "text": text, **members})

    async def session_event(self, message: dict[str, Any]) -> None:
        await self.say(message["payload"])
        await super().session_event(message)

    async def disconnect(self, code: int) -> None:
        under_way = [*getattr(self, "chats", ()), *getattr(self, "offers", ())]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await super().disconnect(code)
