"""A worker that speaks `pipeline.contracts.wire` on the channel layer and has no engines: it echoes.

Its behaviour is set by attributes: `refusal` answers every offer with a refusal, `deaf` ignores chats.
"""

import asyncio
from typing import Any, Self

from channels.layers import get_channel_layer

from pipeline.contracts import wire
from pipeline.contracts.dialogue import turn_id

SDP = "v=0\r\ns=answer\r\n"


class FakeWorker:
    def __init__(self, pool: str = "default", name: str = "fake-1") -> None:
        self.layer: Any = get_channel_layer()
        self.pool, self.name = pool, name
        self.offers: list[wire.Offer] = []
        self.mail: list[dict[str, Any]] = []
        self.holds: set[str] = set()
        self.refusal: tuple[str, str] | None = None
        self.deaf = False
        self.audio, self.ticket = "", ""
        """Where sound comes to that is offered on a websocket."""
        self.mailed = asyncio.Event()
        self.mailbox = ""
        self.report = wire.Report(name, pool, 0, "", True, False, 0, 8, 0.4, None)

    async def __aenter__(self) -> Self:
        self.mailbox = await self.layer.new_channel()
        await self.layer.group_add(wire.WORKERS_GROUP, self.mailbox)
        self._tasks = [asyncio.create_task(self._take_offers()), asyncio.create_task(self._read_mail())]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.layer.group_discard(wire.WORKERS_GROUP, self.mailbox)

    async def mail_of(self, kind: str) -> dict[str, Any]:
        """The first message of this type; waits for it."""
        async with asyncio.timeout(5):
            while True:
                for message in self.mail:
                    if message["type"] == kind:
                        return message
                self.mailed.clear()
                await self.mailed.wait()

    async def say(self, session_id: str, kind: str, **data: Any) -> None:
        """An event for the session's sockets."""
        event = {"event": kind, "session_id": session_id, "leg": 1, "seq": 1, "turn": 0, "t_audio_ms": 0.0, **data}
        await self.layer.group_send(wire.events_group(session_id), wire.session_event(event))

    async def show(self, session_id: str, frames: list[dict[str, Any]]) -> None:
        await self.layer.group_send(wire.faces_group(session_id), wire.session_faces(frames))

    async def _take_offers(self) -> None:
        while True:
            offer = wire.Offer.from_wire(await self.layer.receive(wire.offers_channel(self.pool)))
            if offer.expired():
                continue
            self.offers.append(offer)
            reply: wire.Wired
            if self.refusal:
                reply = wire.Refusal(offer.session_id, *self.refusal)
            else:
                self.holds.add(offer.session_id)
                sdp = SDP if offer.sdp else ""
                door = (self.audio, self.ticket) if offer.transport == "websocket" else ()
                reply = wire.Answer(offer.session_id, offer.leg, sdp, self.mailbox, self.name, *door)
            await self.layer.send(offer.reply_to, reply.to_wire())

    async def _read_mail(self) -> None:
        while True:
            message = await self.layer.receive(self.mailbox)
            if message["type"] == "roll_call":
                await self.layer.send(message["reply_to"], self.report.to_wire())
                continue
            self.mail.append(message)
            self.mailed.set()
            if message["type"] == "chat" and not self.deaf:
                await self._answer_chat(wire.Chat.from_wire(message))
            elif message["type"] == "hangup":
                self.holds.discard(message["session_id"])

    async def _answer_chat(self, chat: wire.Chat) -> None:
        reply: wire.Wired
        if chat.session_id in self.holds:
            reply = wire.ChatReply(chat.session_id, turn_id(chat.session_id, 1, 1), f"You said: {chat.text}")
        else:
            reply = wire.Refusal(chat.session_id, "gone", "not here")
        await self.layer.send(chat.reply_to, reply.to_wire())
