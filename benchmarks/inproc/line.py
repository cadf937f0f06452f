"""A visitor's line without a transport: what the caller says is pushed, what the session says is paced."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from benchmarks.inproc.engines import VOICE_RATE_HZ
from benchmarks.inproc.pacer import FRAME_BYTES, FRAME_S, Pacer
from pipeline.contracts.audio import Sound

FULL_S = 0.3
REFERENCE_FRAMES = 40


class Hearer(Protocol):
    """Who is spoken to, as a `benchmarks.inproc.caller.Caller` is."""

    def heard(self, pcm: bytes) -> None:
        """20 ms of the reply goes out."""
        ...


class Microphone:
    """`core.ports.Microphone`."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._on_sound: Callable[[Sound], None] = lambda sound: None
        self.last_heard = time.monotonic()

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        self._on_sound = on_sound

    def hear(self, pcm: bytes) -> None:
        self.last_heard = time.monotonic()
        self._on_sound(Sound(pcm, self._now_ms() - FRAME_S * 1000))


class Speaker:
    """`core.ports.Speaker`; sound of VOICE_RATE_HZ only. Nothing waits in a jitter buffer, so nothing is taken back."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._pacer = Pacer(self._send, self._dry)
        self._held: bytes | None = None
        self._on_first: Callable[[], None] | None = None
        self._room: list[asyncio.Future[None]] = []
        self._empty: list[asyncio.Future[None]] = []
        self._sent: deque[tuple[float, bytes]] = deque(maxlen=REFERENCE_FRAMES)
        self._loop = asyncio.get_running_loop()

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._pacer.restart()
        self._on_first = on_first_packet

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        while self._held is not None or self._pacer.queued_s >= FULL_S:
            await self._wait(self._room)
        self._pacer.push(pcm)

    async def drain(self) -> None:
        self._pacer.pad()
        while self._held is not None or self._pacer.running:
            await self._wait(self._empty)

    def flush(self) -> float:
        self._pacer.clear()
        self._held, self._on_first = None, None
        self._wake(self._room)
        self._wake(self._empty)
        return self.played_ms

    def pause(self) -> float:
        if self._held is None:
            self._held = self._pacer.take()
        return self.played_ms

    def resume(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._pacer.push(held)
            self._wake(self._room)
            if not self._pacer.running:
                self._wake(self._empty)

    def reference(self, seconds: float) -> tuple[bytes, int]:
        now_s, frames = self._loop.time(), round(seconds / FRAME_S)
        out = [bytes(FRAME_BYTES)] * frames
        for at_s, frame in self._sent:
            ago = int((now_s - at_s) / FRAME_S)
            if ago < frames:
                out[frames - 1 - ago] = frame
        return b"".join(out), VOICE_RATE_HZ

    @property
    def played_ms(self) -> float:
        return self._pacer.sent_s * 1000

    def _send(self, frame: bytes) -> None:
        self._sent.append((self._loop.time(), frame))
        if self._on_first is not None:
            on_first, self._on_first = self._on_first, None
            on_first()
        self._hearer.heard(frame)
        if self._room and self._pacer.queued_s < FULL_S:
            self._wake(self._room)

    def _dry(self) -> None:
        if self._held is None:
            self._wake(self._room)
            self._wake(self._empty)

    async def _wait(self, waiting: "list[asyncio.Future[None]]") -> None:
        woken = self._loop.create_future()
        waiting.append(woken)
        await woken

    def _wake(self, waiting: "list[asyncio.Future[None]]") -> None:
        for woken in waiting:
            if not woken.done():
                woken.set_result(None)
        waiting.clear()


class Line:
    """`core.ports.Line`: the page is there, and says nothing on the side channels."""

    def __init__(self, hearer: Hearer, now_ms: Callable[[], float]) -> None:
        self.microphone = Microphone(now_ms)
        self.speaker = Speaker(hearer)
        self.on_control: Callable[[dict[str, Any]], None] = lambda message: None
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def control(self, message: dict[str, Any]) -> bool:
        return True

    def face(self, message: dict[str, Any]) -> bool:
        return True

    @property
    def last_heard(self) -> float:
        return self.microphone.last_heard

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        return None

    async def closed(self) -> str:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        if not self._ended.done():
            self._ended.set_result("closed")

    def stats(self) -> dict[str, float]:
        return {}
