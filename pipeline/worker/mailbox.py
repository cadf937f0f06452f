"""What the office says to sessions that this worker holds: candidates, hang-ups, chats, new versions."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pipeline.contracts.errors import MediaError, SpecError, WireError
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Candidate, Chat, ChatReply, Hangup, Refusal, SpecChanged
from pipeline.core.session import Session
from pipeline.worker.layer import Layer, receive

log = logging.getLogger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


class Mailbox:
    """Receives on one channel of this worker and hands each message to its session. Unknown sessions are refused."""

    def __init__(self, layer: Layer, sessions: Mapping[str, Session], spawn: Spawn) -> None:
        self._layer = layer
        self._sessions = sessions
        self._spawn = spawn
        self.on_version: Callable[[AssistantSpec], None] = lambda spec: None
        """Told of each version that was published, whether or not a session here speaks with it."""
        self.address = ""
        self.opened = asyncio.Event()

    async def run(self, address: str) -> None:
        self.address = address
        self.opened.set()
        while True:
            message = await receive(self._layer, address)
            try:
                self._dispatch(message)
            except (WireError, SpecError) as error:
                log.warning("a message was not understood: %s", error)

    def _dispatch(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case Candidate.type:
                self._spawn("candidate", self._candidate(Candidate.from_wire(message)))
            case Hangup.type:
                hangup = Hangup.from_wire(message)
                if (session := self._sessions.get(hangup.session_id)) is not None:
                    session.hang_up(hangup.reason)
            case Chat.type:
                self._spawn("chat", self._chat(Chat.from_wire(message)))
            case SpecChanged.type:
                spec = AssistantSpec.from_manifest(SpecChanged.from_wire(message).spec)
                for session in self._sessions.values():
                    session.swap(spec)
                self.on_version(spec)
            case other:
                raise WireError(f"unknown type {other!r}")

    async def _candidate(self, message: Candidate) -> None:
        session = self._sessions.get(message.session_id)
        if session is None or session.line is None:
            return
        try:
            await session.line.add_candidate(message.candidate, message.sdp_mid, message.sdp_m_line_index)
        except MediaError as error:
            log.info("a candidate was not usable: %s", error)

    async def _chat(self, message: Chat) -> None:
        session = self._sessions.get(message.session_id)
        answer: ChatReply | Refusal
        if session is None:
            answer = Refusal(message.session_id, "gone", "This session is not on this worker any more.")
        else:
            turn_id, text = await session.chat(message.text)
            answer = ChatReply(message.session_id, turn_id, text)
        if message.reply_to:
            async with asyncio.timeout(5):
                await self._layer.send(message.reply_to, answer.to_wire())
