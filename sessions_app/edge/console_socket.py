"""The overview of the console, live: who is logged in there is told how it stands, every few seconds.

The login is looked at anew each time: who logs out, is taken out of a tenant, or must set up a second factor first,
hears no more.
"""

import asyncio
import json
from importlib import import_module
from typing import Any, Final

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import parse_cookie

from sessions_app.edge import origins
from sessions_app.edge.sockets import CloseCode, close_reason
from sessions_app.operations import overview
from sessions_app.tenants.middleware import scope_of
from sessions_app.tenants.standing import Standing, standing_of

EVERY_S: Final = 5.0


class OverviewConsumer(AsyncWebsocketConsumer):
    """Says, and does not listen."""

    telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        headers = {name: value.decode("latin1") for name, value in self.scope["headers"]}
        if not origins.own(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.close(int(CloseCode.ORIGIN), "Only the console's own page may listen.")
            return
        self.key = parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME, "")
        self.telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while True:
            told = await self._now()
            if told is None:
                await self.close(int(CloseCode.UNAUTHORIZED), close_reason("Log in again."))
                return
            await self.send(text_data=json.dumps(told))
            await asyncio.sleep(EVERY_S)

    async def _now(self) -> dict[str, Any] | None:
        """None for whoever may not know."""
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.key)
        await database_sync_to_async(session.load)()
        user = await get_user({"session": session})
        return await database_sync_to_async(_told)(user, session)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(int(CloseCode.BAD_MESSAGE), "This socket takes no messages.")

    async def disconnect(self, code: int) -> None:
        if self.telling:
            self.telling.cancel()
            await asyncio.gather(self.telling, return_exceptions=True)


def _told(user: Any, kept: Any) -> dict[str, Any] | None:
    here: Standing = standing_of(user, kept)
    if here.who is None:
        return None
    with scope_of(here):
        return overview.shared(here)
