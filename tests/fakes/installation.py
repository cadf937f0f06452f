"""An installation as a soak caller sees it: sessions over HTTP, a signaling websocket, and a WebRTC peer that answers
each utterance with a tone. Small enough to be obviously right; it listens with a loudness threshold and a stopwatch.
"""

import asyncio
import fractions
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np
import websockets
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

KEY = "sk_fake"
ASSISTANT = "11111111-1111-4111-8111-111111111111"
RATE = 48_000
FRAME = 960
SILENCE_FRAMES = 20
"""400 ms of silence end an utterance."""
TONE_FRAMES = 150
LOUD = 500.0


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self._n = 0
        self._due = time.monotonic()

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        self._due += 0.02
        samples = np.zeros(FRAME)
        if self.left > 0:
            self.left -= 1
            samples = 8000 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._n * FRAME, fractions.Fraction(1, RATE)
        self._n += 1
        return frame


class Peer:
    """One leg: hears speech begin and end, plays a tone, tells its state."""

    def __init__(self, deaf: bool, beats: bool) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.tone = Tone()
        self.control = None
        self.tasks: list[asyncio.Task] = []
        self._deaf, self._beats = deaf, beats
        self._began = time.monotonic()
        self._turn, self._quiet, self._loud = 0, 0, 0
        self._state = "LISTENING"

    async def answer(self, sdp: str) -> str:
        self.pc.on("track", lambda track: self.tasks.append(asyncio.create_task(self._listen(track))))
        self.pc.on("datachannel", self._channel)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self.pc.addTrack(self.tone)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.pc.localDescription.sdp

    def _channel(self, channel) -> None:
        if channel.label == "control":
            self.control = channel
            if self._beats:
                self.tasks.append(asyncio.create_task(self._beat()))

    async def _beat(self) -> None:
        while True:
            self.say({"type": "beat", "t_audio_ms": self.now_ms})
            await asyncio.sleep(0.5)

    @property
    def now_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000

    def say(self, message: dict) -> None:
        if self.control is not None and self.control.readyState == "open":
            self.control.send(json.dumps(message))

    def event(self, kind: str, **data) -> None:
        self.say({"event": kind, "turn": self._turn, "t_audio_ms": self.now_ms, **data})

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if not self._deaf:
                self._hear(float(np.sqrt((frame.to_ndarray().astype(float) ** 2).mean())) >= LOUD)
            self._tell()

    def _hear(self, loud: bool) -> None:
        self._quiet = 0 if loud else self._quiet + 1
        self._loud = self._loud + 1 if loud else self._loud
        if loud and self.tone.left > 0:
            self.tone.left = 0
            self.event("cancel", type="CANCEL", reason="USER_BARGE_IN", t_event_ms=self.now_ms, reply=self._turn)
            self._over(interrupted=True)
        if self._loud > 5 and self._quiet == SILENCE_FRAMES:
            self._loud = 0
            self._turn += 1
            self._state = "SPEAKING"
            self.event("state", state="THINKING")
            self.event("caption.final", text="words")
            self.event("state", state="SPEAKING")
            self.tone.left = TONE_FRAMES

    def _tell(self) -> None:
        if self._state == "SPEAKING" and self.tone.left == 0:
            self._over(interrupted=False)

    def _over(self, interrupted: bool) -> None:
        self._state = "LISTENING"
        timings = {"ttfa_ms": 20.0}
        self.event("turn.done", text="tone", interrupted=interrupted, timings=timings, warmup=False)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.pc.close()


class Installation:
    """`deaf`: hears nothing, so no turn ever ends. `silent_legs`: how many connections give no beat. `busy`: how many
    session creations are refused with 503 first."""

    def __init__(self, *, deaf: bool = False, silent_legs: int = 0, busy: int = 0) -> None:
        self._deaf, self._silent_legs, self._busy = deaf, silent_legs, busy
        self._peers: list[Peer] = []
        self.created = self.ended = 0
        self.url = self._ws = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Installation"]:
        http = await asyncio.start_server(self._request, "127.0.0.1", 0)
        sockets = await websockets.serve(self._signal, "127.0.0.1", 0, subprotocols=["goassist.v1"])
        self.url = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"
        self._ws = f"ws://127.0.0.1:{next(iter(sockets.sockets)).getsockname()[1]}/"
        try:
            yield self
        finally:
            sockets.close()
            await sockets.wait_closed()
            http.close()
            await http.wait_closed()
            for peer in self._peers:
                await peer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                await reader.readexactly(int(headers.get("content-length", "0")))
                status, body = self._reply(lines[0].split()[0], lines[0].split()[1], headers)
                text = body if isinstance(body, str) else json.dumps(body)
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\nRetry-After: 1\r\n\r\n{text}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _reply(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, object]:
        if path == "/metrics":
            figures = {"process_cpu_seconds_total": time.process_time(), "process_resident_memory_bytes": 1e8}
            return 200, "".join(f"{name} {value}\n" for name, value in figures.items())
        if not headers.get("authorization", "").startswith("bearer sk_"):
            return 401, {"detail": "This key is not known."}
        if method == "DELETE":
            self.ended += 1
            return 204, ""
        if self._busy:
            self._busy -= 1
            return 503, {"detail": "The house is full."}
        self.created += 1
        return 201, {"id": f"s{self.created}", "token": "t", "ice_servers": [], "urls": {"signaling": self._ws}}

    async def _signal(self, socket) -> None:
        async for text in socket:
            message = json.loads(text)
            assert message["type"] == "offer"
            beats = self._silent_legs <= 0
            self._silent_legs -= 1
            peer = Peer(self._deaf, beats)
            self._peers.append(peer)
            await socket.send(json.dumps({"type": "answer", "sdp": await peer.answer(message["sdp"]), "leg": 1}))
