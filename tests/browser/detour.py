"""A worker's end of a call over a websocket, as the talk page sees it: packets, and control messages beside them."""

import asyncio
import json
from array import array
from math import pi, sin
from typing import Any

from playwright.async_api import WebSocketRoute

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.packets import PCM16, VOICE_RATE_HZ, pack_voice, unpack_microphone

PACKET_S = 0.02


class WirePeer:
    """One leg. `packets`: what the page's microphone sent, (seq, pcm)."""

    def __init__(self, leg: int, session: str, socket: WebSocketRoute) -> None:
        self.leg, self._session, self._socket = leg, session, socket
        self.heard: list[dict[str, Any]] = []
        self.packets: list[tuple[int, bytes]] = []
        self.up = asyncio.Event()
        """The page has spoken on the control channel."""
        self._seq = self._events = 0
        self._tasks: list[asyncio.Task[None]] = []
        socket.on_message(self._hear)
        self.control({"type": "answer", "leg": leg})
        self._tasks.append(asyncio.create_task(self._beats()))

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.packets.append(unpack_microphone(message))
        else:
            self.heard.append(json.loads(message))
            self.up.set()

    @property
    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    def control(self, message: dict[str, Any]) -> None:
        self._socket.send(json.dumps(message))

    def event(self, kind: str, turn: int = 1, **data: Any) -> None:
        self._events += 1
        names = {
            "session_id": self._session,
            "leg": self.leg,
            "seq": self._events,
            "turn": turn,
            "t_audio_ms": self.now_ms,
        }
        self.control({"event": kind, **names, **data})

    def state(self, state: str) -> None:
        self.event("state", state=state)

    def begin_reply(self, number: int, text: str, seconds: float = 10.0) -> None:
        """A tone of so many seconds, paced; captions, and the reply's clock."""
        self.state("SPEAKING")
        self.control({"type": "reply", "reply": number, "t_audio_ms": self.now_ms})
        self.event("agent.text", turn=number, reply=number, text=text)
        self.play(number, seconds)

    def play(self, number: int, seconds: float) -> None:
        self._tasks.append(asyncio.create_task(self._play(number, seconds)))

    def hush(self) -> None:
        """No more packets from now on."""
        for task in self._tasks[1:]:
            task.cancel()

    def faces(self, count: int, **shapes: float) -> None:
        start = self.now_ms
        for i in range(count):
            frame = {"session_id": self._session, "seq": i, "fps": 30, "heartbeat": False, "blendshapes": shapes}
            self.control({**frame, "t_audio_ms": start + i * 1000 / 30})

    async def lose(self) -> None:
        await self._socket.close(code=1013, reason="The line was lost. Try again.")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _beats(self) -> None:
        while True:
            self.control({"type": "beat", "t_audio_ms": self.now_ms})
            await asyncio.sleep(1)

    async def _play(self, number: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        began, due, before = self.now_ms, loop.time(), b""
        for i in range(round(seconds / PACKET_S)):
            pcm = _tone(i * 480)
            packet = AudioPacket(
                self._session, number, self._seq, began + i * 20.0, 20, 5 if before else 0, PCM16, before + pcm
            )
            self._socket.send(pack_voice(packet))
            self._seq, before, due = self._seq + 1, pcm[-240:], due + PACKET_S
            await asyncio.sleep(due - loop.time())


def _tone(first: int) -> bytes:
    step = 2 * pi * 440 / VOICE_RATE_HZ
    return array("h", [round(8000 * sin(step * (first + i))) for i in range(480)]).tobytes()
