"""An office and its workers as the talk page sees them: the API and the websocket are answered inside the browser's own
request interception, each offer by a real WebRTC peer (aiortc) in this process. Tests drive what the peers say.
"""

import asyncio
import json
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from playwright.async_api import BrowserContext, Route, WebSocketRoute

from tests.browser.detour import WirePeer
from tests.browser.site import ORIGIN
from tests.fakes.installation import Tone

SESSION = "0d9a4a9e-3f57-4d64-8a0e-5b8c4c1f7a10"
SOCKET = f"wss://talk.test/ws/v1/sessions/{SESSION}/"
GRANT = {
    "id": SESSION,
    "token": "token.of.session",
    "expires_at": "2030-01-01T00:00:00Z",
    "ice_servers": [],
    "urls": {"signaling": SOCKET, "audio": SOCKET + "audio/", "blendshapes": SOCKET + "blendshapes"},
}


class Peer:
    """One leg: the worker's end of a call."""

    def __init__(self, leg: int) -> None:
        self.leg = leg
        self.heard: list[dict[str, Any]] = []
        self.tone = Tone()
        self.up = asyncio.Event()
        self.channels: dict[str, Any] = {}
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pc.on("datachannel", self._open)
        self._seq = 0
        self._beat: asyncio.Task[None] | None = None
        self.beating = True

    async def answer(self, sdp: str) -> str:
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self._pc.addTrack(self.tone)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return self._pc.localDescription.sdp

    def _open(self, channel: Any) -> None:
        self.channels[channel.label] = channel
        if channel.label == "control":
            channel.on("message", lambda text: self.heard.append(json.loads(text)))
            self._beat = asyncio.create_task(self._beats())
            self.up.set()

    async def _beats(self) -> None:
        while self.beating:
            self.control({"type": "beat", "t_audio_ms": self.now_ms})
            await asyncio.sleep(1)

    @property
    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    def control(self, message: dict[str, Any]) -> None:
        self.channels["control"].send(json.dumps(message))

    def event(self, kind: str, turn: int = 1, **data: Any) -> None:
        """A live event on the control channel, numbered like a worker's."""
        self._seq += 1
        names = {"session_id": SESSION, "leg": self.leg, "seq": self._seq, "turn": turn, "t_audio_ms": self.now_ms}
        self.control({"event": kind, **names, **data})

    def state(self, state: str) -> None:
        self.event("state", state=state)

    def begin_reply(self, number: int, text: str) -> None:
        """Tone, captions and the reply's clock, as when the agent begins to speak."""
        self.tone.left = 500
        self.state("SPEAKING")
        self.control({"type": "reply", "reply": number, "t_audio_ms": self.now_ms})
        self.event("agent.text", turn=number, reply=number, text=text)

    def faces(self, count: int, **shapes: float) -> None:
        start = self.now_ms
        for i in range(count):
            frame = {"session_id": SESSION, "seq": i, "fps": 30, "heartbeat": False, "blendshapes": shapes}
            self.channels["face"].send(json.dumps({**frame, "t_audio_ms": start + i * 1000 / 30}))

    def fall_silent(self) -> None:
        """As a worker that hangs: no more beats."""
        self.beating = False

    async def close(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.wait({self._beat})
        self.tone.stop()
        await self._pc.close()


class Office:
    """`refusals` and `offer_errors` are used up first, one per request; then everything is granted."""

    def __init__(self) -> None:
        self.refusals: list[dict[str, Any]] = []
        self.offer_errors: list[dict[str, Any]] = []
        self.places: list[int] = []
        """What a caller is told of its place in line before it is answered; `seat` lets it move up."""
        self.seat = asyncio.Event()
        self.ice_servers: list[list[dict[str, Any]]] = []
        """What is granted with the session, then at each time that the page asks for fresh ones."""
        self.records = False
        """The tenant wishes to record calls."""
        self.consents: list[str] = []
        """What the page said to that: PUT, DELETE."""
        self.consent_errors = 0
        """So many of those are answered 503 first."""
        self.mute_answers = False
        self.audio_shut = False
        """The audio websocket cannot be had either."""
        self.audio_protocols: list[list[str]] = []
        self.wire_peers: list[WirePeer] = []
        self.requests: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self.peers: list[Peer] = []
        self.news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, context: BrowserContext) -> None:
        await context.route(f"{ORIGIN}/api/v1/sessions", self._create)
        await context.route(f"{ORIGIN}/api/v1/sessions/{SESSION}/ice-servers", self._renew)
        await context.route(f"{ORIGIN}/api/v1/sessions/{SESSION}/recording", self._consent)
        await context.route_web_socket(f"{SOCKET}*", self._accept)
        await context.route_web_socket(f"{SOCKET}audio/", self._accept_audio)

    async def peer(self, leg: int) -> Peer:
        """The worker's end of this leg, once its control channel is open."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.peers) >= leg)
        await self.peers[leg - 1].up.wait()
        return self.peers[leg - 1]

    async def peer_made(self, leg: int) -> None:
        """An offer was answered, whether or not a path is found."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.peers) >= leg)

    async def wire_peer(self, number: int) -> WirePeer:
        """The worker's end of the so-many-th audio websocket, once the page has spoken on it."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.wire_peers) >= number)
        await self.wire_peers[number - 1].up.wait()
        return self.wire_peers[number - 1]

    async def message(self, kind: str) -> dict[str, Any]:
        """The first message of this type that the page sent over the websocket."""
        async with self.news:
            await self.news.wait_for(lambda: any(m["type"] == kind for m in self.messages))
        return next(m for m in self.messages if m["type"] == kind)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in (*self.peers, *self.wire_peers):
            await peer.close()

    async def _create(self, route: Route) -> None:
        self.requests.append({**json.loads(route.request.post_data or "{}"), "headers": route.request.headers})
        if not self.refusals:
            servers = self.ice_servers.pop(0) if self.ice_servers else []
            await route.fulfill(status=201, json={**GRANT, "ice_servers": servers, "recording": self.records})
            return
        refusal = self.refusals.pop(0)
        headers = {"Retry-After": str(refusal["retry_after_s"])}
        await route.fulfill(status=refusal["status"], json=refusal, headers=headers)

    async def _renew(self, route: Route) -> None:
        authorized = route.request.headers.get("authorization") == f"Bearer {GRANT['token']}"
        if authorized and self.ice_servers:
            await route.fulfill(json={"ice_servers": self.ice_servers.pop(0)})
        else:
            await route.fulfill(status=503, json={"code": "unavailable"})

    async def _consent(self, route: Route) -> None:
        assert route.request.headers.get("authorization") == f"Bearer {GRANT['token']}"
        self.consents.append(route.request.method)
        if self.consent_errors:
            self.consent_errors -= 1
            await route.fulfill(status=503, json={"code": "unavailable"})
        else:
            await route.fulfill(status=204)

    def _accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._spawn(self._hear(socket, json.loads(text))))

    async def _accept_audio(self, socket: WebSocketRoute) -> None:
        if self.audio_shut:
            await socket.close(code=1013, reason="The line was lost. Try again.")
            return
        self.audio_protocols.append(list(socket.protocols))
        self._spawn(self._seat_audio(socket))

    async def _seat_audio(self, socket: WebSocketRoute) -> None:
        for place in self.places:
            socket.send(json.dumps({"type": "queued", "place": place}))
            await self.seat.wait()
            self.seat.clear()
        async with self.news:
            leg = len(self.peers) + len(self.wire_peers) + 1
            self.wire_peers.append(WirePeer(leg, SESSION, socket))
            self.news.notify_all()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hear(self, socket: WebSocketRoute, message: dict[str, Any]) -> None:
        if message["type"] == "offer":
            await self._offered(socket, message["sdp"])
        elif message["type"] == "chat":
            reply = {"type": "chat_reply", "id": message["id"], "turn_id": f"{SESSION}.1.{message['id']}"}
            socket.send(json.dumps({**reply, "text": f"You wrote: {message['text']}"}))
        async with self.news:
            self.messages.append(message)
            self.news.notify_all()

    async def _offered(self, socket: WebSocketRoute, sdp: str) -> None:
        if self.offer_errors:
            socket.send(json.dumps({"type": "error", **self.offer_errors.pop(0)}))
            return
        for place in self.places:
            socket.send(json.dumps({"type": "queued", "place": place}))
            await self.seat.wait()
            self.seat.clear()
        peer = Peer(leg=len(self.peers) + 1)
        answer = await peer.answer(sdp)
        if self.mute_answers:
            answer = without_path(answer)
        async with self.news:
            self.peers.append(peer)
            self.news.notify_all()
        socket.send(json.dumps({"type": "answer", "sdp": answer, "leg": peer.leg}))


def without_path(sdp: str) -> str:
    """An answer whose only address leads nowhere (RFC 5737, TEST-NET-1)."""
    lines = [line for line in sdp.split("\r\n") if not line.startswith("a=candidate")]
    at = next(i for i, line in enumerate(lines) if line.startswith("m=")) + 1
    nowhere = "a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host"
    return "\r\n".join([*lines[: at + 1], nowhere, *lines[at + 1 :]])
