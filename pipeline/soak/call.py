"""One WebRTC connection of a caller to a worker: what is said into it, what comes out, and when."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

from pipeline.contracts.numbers import BEAT_LOST_S, BEAT_S, CLOSE_DEADLINE_S
from pipeline.soak.errors import Lost, Refused
from pipeline.soak.lines import Decoder, Line
from pipeline.soak.measure import Ear, FarClock
from pipeline.soak.mouth import Mouth
from pipeline.soak.office import Admission, Signaling

OPEN_LIMIT_S = 10.0
POLL_S = 0.02
"""How often a waiting caller looks; measurements carry arrival times of their own and do not depend on it."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A live event and when it came."""

    at_s: float
    event: dict[str, Any]


class Call:
    """Open it, speak with `say`, wait with `until` or `event`, close it. Raises Lost from any wait when it is gone."""

    def __init__(self, admission: Admission) -> None:
        servers = [RTCIceServer(**{"urls": s["urls"], **_credentials(s)}) for s in admission.ice_servers]
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._control: RTCDataChannel = self._peer.createDataChannel("control")
        self._peer.createDataChannel("face", ordered=False, maxRetransmits=0)
        self._keeper: asyncio.Task[None] | None = None
        self._lost: Lost | None = None
        self._events: list[Arrival] = []
        self.mouth = Mouth()
        self.ear = Ear()
        self.far_clock = FarClock()
        self.beat_s = 0.0
        """When the last beat came."""

    async def open(self, signaling: Signaling) -> None:
        """Offer, answer, channels open. Raises NotNow, Refused, SessionOver or Lost; `close` it all the same."""
        self._peer.addTrack(self.mouth)
        self._control.on("message", self._message)
        self._peer.on("connectionstatechange", self._state_changed)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        answer = await signaling.offer(self._peer.localDescription.sdp)
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        _listen_at(self._peer.getReceivers()[0], self._heard_packet)
        self.beat_s = time.monotonic() + OPEN_LIMIT_S
        if await self.until(lambda: self._control.readyState == "open" or None, OPEN_LIMIT_S) is None:
            raise Refused(f"not connected within {OPEN_LIMIT_S:.0f} s")
        self.beat_s = time.monotonic()
        self._keeper = asyncio.create_task(self._keep_alive())

    def say(self, line: Line) -> None:
        self.mouth.say(line)

    def forget_events(self) -> None:
        """What came so far is of no interest to the waits that follow."""
        self._events.clear()

    def seen(self, kind: str, after: Arrival | None = None, **fields: Any) -> Arrival | None:
        """The first event of this kind, with these fields, since `forget_events()` and after that other one."""
        start = self._events.index(after) + 1 if after in self._events else 0
        for arrival in self._events[start:]:
            if arrival.event["event"] == kind and all(arrival.event.get(k) == v for k, v in fields.items()):
                return arrival
        return None

    async def event(self, kind: str, timeout_s: float, after: Arrival | None = None, **fields: Any) -> Arrival | None:
        """As `seen`, but waits for it. None: it did not come in time. Raises Lost."""
        return await self.until(lambda: self.seen(kind, after, **fields), timeout_s)

    async def until(self, condition: Callable[[], Found | None], timeout_s: float) -> Found | None:
        """Wait until the condition gives something. None: it did not in time. Raises Lost."""
        deadline_s = time.monotonic() + timeout_s
        while (found := condition()) is None and time.monotonic() < deadline_s:
            self._raise_if_lost()
            await asyncio.sleep(POLL_S)
        return found

    async def rest(self, seconds: float) -> None:
        """Be silent, but notice when the call is lost. Raises Lost."""
        await self.until(lambda: None, seconds)

    async def close(self) -> None:
        """Hang up. Ends within CLOSE_DEADLINE_S."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._send({"type": "hangup"})
        try:
            await asyncio.wait_for(self._peer.close(), CLOSE_DEADLINE_S)
        except (TimeoutError, ConnectionError):
            return

    def _raise_if_lost(self) -> None:
        silent_s = time.monotonic() - self.beat_s
        if self._lost is None and silent_s > BEAT_LOST_S:
            self._lost = Lost(f"no beat for {BEAT_LOST_S:.0f} s", planned=False)
        if self._lost is not None:
            raise self._lost

    async def _keep_alive(self) -> None:
        while True:
            self._send({"type": "beat"})
            await asyncio.sleep(BEAT_S)

    def _send(self, message: dict[str, Any]) -> None:
        if self._control.readyState == "open":
            self._control.send(json.dumps(message))

    def _message(self, text: str) -> None:
        now_s = time.monotonic()
        message = json.loads(text)
        if "event" in message:
            self._events.append(Arrival(now_s, message))
        elif message.get("type") == "beat":
            self.beat_s = now_s
            self.far_clock.beat(message["t_audio_ms"], now_s)
        elif message.get("type") == "moved":
            self._lost = Lost("the worker asked to move", planned=True)

    def _state_changed(self) -> None:
        state = self._peer.connectionState
        if state in {"failed", "closed"} and self._lost is None:
            self._lost = Lost(f"connection {state}", planned=False)

    def _heard_packet(self, payload: bytes, decode: Decoder) -> None:
        self.ear.hear(decode(payload), time.monotonic())


def _credentials(server: dict[str, Any]) -> dict[str, Any]:
    return {name: server[name] for name in ("username", "credential") if server.get(name)}


def _listen_at(receiver: Any, heard: Callable[[bytes, Decoder], None]) -> None:
    """Hear packets as they arrive, instead of after aiortc's jitter buffer (four packets, 80 ms).

    aiortc calls `_handle_rtp_packet` on the receiver for each RTP packet; the name is not public, so
    tests/pipeline/soak holds it there. Nothing is decoded twice: the receiver's own way is not taken.
    """
    decode = Decoder()

    async def take(packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload:
            heard(packet.payload, decode)

    receiver._handle_rtp_packet = take
