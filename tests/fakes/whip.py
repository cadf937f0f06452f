"""A client of WHIP (RFC 9725) for the API without a network: it speaks the protocol, and sends what it is told to."""

from typing import Any

from sessions_app.edge import whip
from tests.fakes.house import Caller

OFFER = "v=0\r\ns=offer\r\n"
CANDIDATE = "1 1 udp 2122260223 192.0.2.1 61764 typ host"
FRAGMENT = f"m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:{CANDIDATE}\r\na=end-of-candidates\r\n"
CREDENTIALS = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"


class Client(Caller):
    """Sends text of a media type."""

    async def send(self, method: str, path: str, text: str | bytes, media_type: str, **headers: str) -> Any:
        send = getattr(self._client, method)
        options = {"content_type": media_type, "headers": {**self.headers, **headers}}
        return await send(f"/api/v1{path}" if not path.startswith("/api") else path, text, **options)

    async def offer(self, path: str, sdp: str | bytes = OFFER, media_type: str = whip.SDP, **headers: str) -> Any:
        return await self.send("post", path, sdp, media_type, **headers)

    async def trickle(self, connection: Any, text: str = FRAGMENT, **headers: str) -> Any:
        """`connection`: the answer to the offer."""
        headers = headers or {"If-Match": connection["ETag"]}
        return await self.send("patch", connection["Location"], text, whip.FRAGMENT, **headers)

    async def hang_up(self, connection: Any) -> Any:
        return await self._client.delete(connection["Location"], headers=self.headers)
