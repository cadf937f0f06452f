"""The public API as a caller uses it: sessions over HTTP, offers over the session's websocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from pipeline.contracts.numbers import OFFER_DEADLINE_S
from pipeline.soak.errors import Lost, NotNow, Refused, SessionOver, Usage

REQUEST_LIMIT_S = 10.0
ANSWER_LIMIT_S = OFFER_DEADLINE_S + 6.0
"""The office waits OFFER_DEADLINE_S for a free worker; the rest is its own time and the network's."""
SESSION_ENDED_CODE = 4410


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that may begin."""

    id: str
    token: str
    signaling_url: str
    ice_servers: list[dict[str, Any]]


class Office:
    """The installation under test, entered with one secret key."""

    def __init__(self, url: str, key: str, assistant: str) -> None:
        self._assistant = assistant
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=REQUEST_LIMIT_S
        )

    async def admit(self) -> Admission:
        """Create a session. Raises Usage, NotNow or Refused."""
        try:
            response = await self._http.post(
                "/api/v1/sessions", json={"assistant": self._assistant, "channel": "voice"}
            )
        except httpx.HTTPError as error:
            raise Refused(f"no answer from the API: {error or type(error).__name__}") from error
        if response.status_code != 201:
            raise _refusal(response)
        body = response.json()
        url = str(self._http.base_url.join(body["urls"]["signaling"])).replace("http", "ws", 1)
        return Admission(body["id"], body["token"], url, body.get("ice_servers") or [])

    async def dismiss(self, session_id: str) -> None:
        """End the session, as well as it goes: a caller that leaves does not wait for a broken office."""
        try:
            await self._http.delete(f"/api/v1/sessions/{session_id}")
        except httpx.HTTPError:
            return

    async def close(self) -> None:
        await self._http.aclose()


def _refusal(response: httpx.Response) -> Exception:
    text = f"POST /api/v1/sessions: {response.status_code} {_detail(response)}"
    if response.status_code in {429, 503}:
        return NotNow(text, _wait_s(response.headers.get("Retry-After")))
    return Usage(text) if 400 <= response.status_code < 500 else Refused(text)


def _detail(response: httpx.Response) -> str:
    """RFC 9457 problem documents say what is wrong in `detail`."""
    try:
        return str(response.json().get("detail", ""))
    except (ValueError, AttributeError):
        return response.reason_phrase


def _wait_s(header: str | None) -> float:
    return min(60.0, max(1.0, float(header))) if header and header.isdigit() else 5.0


class Signaling:
    """The session's websocket: offers go out, answers come back; everything else is read and left."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self._place = 0
        """Of the offer under way, in the office's queue."""
        self.closed = asyncio.Event()
        self.ended = False
        """The office closed because the session is over."""

    async def offer(self, sdp: str) -> str:
        """The answer's SDP. Raises NotNow, Refused, SessionOver or Lost."""
        self._answer, self._place = asyncio.get_running_loop().create_future(), 0
        try:
            await self._socket.send(json.dumps({"type": "offer", "sdp": sdp}))
            answer = await asyncio.wait_for(self._answer, ANSWER_LIMIT_S)
        except TimeoutError:
            if self._place:  # the next offer keeps the place
                raise NotNow(f"offer: number {self._place} in line", 0.0) from None
            raise Refused(f"no answer to the offer within {ANSWER_LIMIT_S:.0f} s") from None
        except websockets.ConnectionClosed:
            raise self._gone() from None
        if answer["type"] == "answer":
            return str(answer["sdp"])
        text = f"offer: {answer.get('code')}: {answer.get('text')}"
        if answer.get("code") == "session_over":
            raise SessionOver(text)
        if answer.get("code") == "busy" or answer.get("retry_after_s"):
            raise NotNow(text, float(answer.get("retry_after_s") or 2.0))
        raise Refused(text)

    async def listen(self) -> None:
        """Read until the socket closes. To be run as a task."""
        try:
            async for message in self._socket:
                self._take(json.loads(message))
        except websockets.ConnectionClosed:
            pass
        finally:
            self.ended = self._socket.close_code == SESSION_ENDED_CODE
            self.closed.set()
            if self._answer and not self._answer.done():
                self._answer.set_exception(self._gone())

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") == "queued":
            self._place = int(message["place"])
        waited_for = message.get("type") in {"answer", "error"}
        if waited_for and self._answer and not self._answer.done():
            self._answer.set_result(message)

    def _gone(self) -> Exception:
        code, reason = self._socket.close_code, self._socket.close_reason
        if code == SESSION_ENDED_CODE:
            return SessionOver(str(reason))
        return Lost(f"websocket closed: {code} {reason}", planned=code == 1012)


@asynccontextmanager
async def signaling(admission: Admission) -> AsyncIterator[Signaling]:
    """An open websocket for the session. Raises Refused when it does not open."""
    try:
        socket = await websockets.connect(
            admission.signaling_url,
            subprotocols=[Subprotocol("goassist.v1"), Subprotocol(admission.token)],
            open_timeout=REQUEST_LIMIT_S,
            close_timeout=2,
            max_size=1 << 20,
            proxy=None,
        )
    except (OSError, TimeoutError, websockets.InvalidHandshake) as error:
        raise Refused(f"the websocket did not open: {error or type(error).__name__}") from error
    line = Signaling(socket)
    reader = asyncio.create_task(line.listen())
    try:
        yield line
    finally:
        await socket.close()
        await reader
