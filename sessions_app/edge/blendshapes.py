"""The blendshape websocket: the session's face for whoever holds a subscriber token. Loss allowed, latest wins."""

import json
from typing import Any, Literal

from pipeline.contracts import wire
from sessions_app.edge.sockets import CloseCode, SessionSocket


class BlendshapeConsumer(SessionSocket):
    opened_by: Literal["subscriber"] = "subscriber"

    def groups_of(self, session_id: str) -> list[str]:
        return [wire.events_group(session_id), wire.faces_group(session_id)]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is expected here; some clients say hello nevertheless."""
        if not self.pace.admits():
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
