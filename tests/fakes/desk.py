"""A worker's end of the audio relay, and the page's: the one a real websocket server, the other a communicator."""

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.fakes.house import Business
from tests.fakes.sockets import Socket

TICKET = "a-ticket"


class Desk:
    """A worker's end of the relay: what came, and what it says."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        """None: the relay has closed."""
        self.connection: ServerConnection | None = None
        self.up = asyncio.Event()
        self.headers: list[str | None] = []

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.headers.append(connection.request.headers.get("Authorization"))
        self.connection = connection
        self.up.set()
        try:
            async for message in connection:
                self.came.put_nowait(message)
        except ConnectionClosed:
            pass
        self.came.put_nowait(None)

    async def hear(self) -> str | bytes | None:
        async with asyncio.timeout(5):
            return await self.came.get()

    async def closed(self) -> tuple[int | None, str | None]:
        async with asyncio.timeout(5):
            while await self.came.get() is not None:
                pass
        assert self.connection is not None
        return self.connection.close_code, self.connection.close_reason

    async def say(self, *messages: str | bytes) -> None:
        assert self.connection is not None
        for message in messages:
            await self.connection.send(message)


def audio_socket(business: Business, token: str | None = None, **options: Any) -> Socket:
    return Socket(f"/ws/v1/sessions/{business.session.id}/audio/", token or business.token(), **options)


async def answered(page: Socket) -> dict[str, Any]:
    answer = dict(await page.hear())
    assert answer["type"] == "answer", answer
    return answer
