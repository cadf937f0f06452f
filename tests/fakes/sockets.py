"""A websocket client that speaks to the consumers without a network."""

from types import TracebackType
from typing import Any, Self

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from sessions_app.edge.routing import websocket_urlpatterns
from sessions_app.edge.sockets import PROTOCOL
from tests.fakes.house import OWN_ORIGIN


class Socket(WebsocketCommunicator):
    """Enter it: the handshake is done. Leave it: it hangs up, if it still can."""

    def __init__(
        self, path: str, *subprotocols: str, origin: str = OWN_ORIGIN, extensions: dict[str, Any] | None = None
    ) -> None:
        headers = [(b"host", b"testserver")] + ([(b"origin", origin.encode())] if origin else [])
        application = URLRouter(websocket_urlpatterns)
        super().__init__(application, path, headers=headers, subprotocols=[PROTOCOL, *subprotocols])
        if extensions:
            self.scope["extensions"] = extensions

    async def __aenter__(self) -> Self:
        accepted, self.chosen = await self.connect(timeout=5)
        assert accepted
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        if not self.future.done():
            await self.disconnect(timeout=5)

    async def hear(self) -> Any:
        return await self.receive_json_from(timeout=5)

    async def closed(self) -> tuple[int, str]:
        """What it was closed with; everything said before is skipped."""
        while True:
            message = await self.receive_output(timeout=5)
            if message["type"] == "websocket.close":
                return message["code"], message.get("reason", "")
