"""What the office says to sessions that this worker holds: candidates, hang-ups, chats, new versions."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pipeline.contracts.errors import MediaError, PipelineError, StreamEnded, WireError
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import (
    Candidate,
    Chat,
    ChatReply,
    Hangup,
    Record,
    Refusal,
    Report,
    RollCall,
    SpecChanged,
    Watch,
    Wired,
)
from pipeline.core.session import Session
from pipeline.worker.layer import Layer, receive

SEND_LIMIT_S = 5.0

log = logging.getLogger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


class Mailbox:
    """Receives on one channel of this worker and hands each message to its session. Unknown sessions are refused."""

    def __init__(
        self,
        layer: Layer,
        sessions: Mapping[str, Session],
        spawn: Spawn,
        hang_up: Callable[[str, str], None],
        report: Callable[[], Report],
    ) -> None:
        """`report`: how this worker stands now."""
        self._report = report
        self._layer = layer
        self._sessions = sessions
        self._spawn = spawn
        self._hang_up = hang_up
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
            except PipelineError as error:
                log.warning("a message was not understood: %s", error)
            except Exception:  # no single message may end the mail of all sessions
                log.exception("a message could not be handled")

    def _dispatch(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case Candidate.type:
                self._spawn("candidate", self._candidate(Candidate.from_wire(message)))
            case Hangup.type:
                hangup = Hangup.from_wire(message)
                self._hang_up(hangup.session_id, hangup.reason)
            case Chat.type:
                self._spawn("chat", self._chat(Chat.from_wire(message)))
            case RollCall.type:
                self._spawn("report", self._tell(RollCall.from_wire(message).reply_to, self._report()))
            case Record.type:
                self._record(Record.from_wire(message))
            case Watch.type:
                if (session := self._sessions.get(Watch.from_wire(message).session_id)) is not None:
                    session.watched()
            case SpecChanged.type:
                spec = AssistantSpec.from_manifest(SpecChanged.from_wire(message).spec)
                for session in self._sessions.values():
                    session.swap(spec)
                self.on_version(spec)
            case other:
                raise WireError(f"unknown type {other!r}")

    def _record(self, message: Record) -> None:
        if (session := self._sessions.get(message.session_id)) is not None:
            session.record(message.on)

    async def _candidate(self, message: Candidate) -> None:
        session = self._sessions.get(message.session_id)
        if session is None or session.line is None:
            return
        try:
            await session.line.add_candidate(message.candidate, message.sdp_mid, message.sdp_m_line_index)
        except MediaError as error:
            log.info("a candidate was not usable: %s", error)

    async def _chat(self, message: Chat) -> None:
        answer = await self._answer(message)
        if message.reply_to:
            await self._tell(message.reply_to, answer)

    async def _tell(self, reply_to: str, answer: Wired) -> None:
        async with asyncio.timeout(SEND_LIMIT_S):
            await self._layer.send(reply_to, answer.to_wire())

    async def _answer(self, message: Chat) -> ChatReply | Refusal:
        session = self._sessions.get(message.session_id)
        try:
            if session is None:
                raise StreamEnded("no such session")
            turn_id, text = await session.chat(message.text, message.id)
        except StreamEnded:
            return Refusal(message.session_id, "gone", "This session is not on this worker any more.")
        return ChatReply(message.session_id, turn_id, text)
