"""The blendshape websocket: the session's face for whoever holds a subscriber token. Loss allowed, latest wins."""

import asyncio
import json
from typing import Any, Final, Literal

from pipeline.contracts import wire
from pipeline.contracts.numbers import WATCHED_S
from sessions_app import switchboard
from sessions_app.edge.sockets import CloseCode, SessionSocket

MAX_SAID_CHARS: Final = 1_000
"""Of a message from a subscriber, who has nothing to say here."""
WATCH_EVERY_S: Final = WATCHED_S / 3
"""How often the workers hear that somebody watches: frames are made and sent for nobody else."""


class BlendshapeConsumer(SessionSocket):
    opened_by: Literal["subscriber"] = "subscriber"
    _watching: "asyncio.Task[None] | None" = None

    def groups_of(self, session_id: str) -> list[str]:
        return [wire.events_group(session_id), wire.faces_group(session_id)]

    async def connect(self) -> None:
        await super().connect()
        if not self.over:
            self._watching = asyncio.create_task(self._watch(), name="watch a face")

    async def disconnect(self, code: int) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await super().disconnect(code)

    async def _watch(self) -> None:
        while True:
            await switchboard.watch(self.session_id)
            await asyncio.sleep(WATCH_EVERY_S)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is expected here; some clients say hello nevertheless."""
        if len(text_data or bytes_data or "") > MAX_SAID_CHARS:
            await self.end(CloseCode.BAD_MESSAGE, f"Messages have at most {MAX_SAID_CHARS} characters.")
        elif not self.pace.admits():
            await self.end(CloseCode.TOO_MANY, "Too many messages.")

    async def session_faces(self, message: dict[str, Any]) -> None:
        """One frame a message. Frames that come while the reader is behind are not kept for it (edge.server)."""
        for frame in message["frames"]:
            if self.over or self.behind():
                return
            await self.send(text_data=json.dumps(frame, separators=(",", ":")))

    def behind(self) -> bool:
        reader = self.scope.get("extensions", {}).get("goassist.reader")
        return reader is not None and reader.behind
