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

log = structlog.get_logger(__name__)

MAX_CHATS_WAITING = 4


class SignalingConsumer(SessionSocket):
    opened_by: Literal["visitor"] = "visitor"

    async def connect(self) -> None:
        self.chats: set[asyncio.Task[None]] = set()
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
                await self._guarded(self._offer(message))
            case CandidateMessage():
                await self._guarded(self._candidate(message))
            case ChatMessage():
                await self._begin_chat(message)
            case HangupMessage():
                self.over = True
                await self._guarded(self._hang_up())
                await self.close(int(CloseCode.DONE), "Goodbye.")

    async def _offer(self, message: OfferMessage) -> None:
        answer = await calls.take_offer(await self.session(), message.sdp)
        await self.say({"type": "answer", "sdp": answer.sdp, "leg": answer.leg})

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
        reply = await calls.chat(await self.session(), message.text)
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
            retry = {"retry_after_s": problem["retry_after_s"]} if "retry_after_s" in problem else {}
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
        chats = list(getattr(self, "chats", ()))
        for task in chats:
            task.cancel()
        await asyncio.gather(*chats, return_exceptions=True)
        await super().disconnect(code)
