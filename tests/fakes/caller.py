"""A visitor made of aiortc: offers a call, speaks PCM, keeps what it hears and when, has the two data channels.

A real client: it speaks RTP, DTLS and SCTP to whatever answers. It shares no code with `pipeline.media`.

    caller = Caller()
    answer_sdp = ...await somebody's answer to... await caller.offer()
    await caller.accept(answer_sdp)
    await caller.say(pcm, 48_000)
    ...
    await caller.close()
"""

import asyncio
import itertools
import json
import time
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import is_rtcp

FRAME_S = 0.02
RATE_HZ = 48_000
FRAME_BYTES = 1920


@dataclass(frozen=True, slots=True)
class Heard:
    """20 ms that came. `at`: time.monotonic() when it came; `pts`: its RTP timestamp (48 kHz); PCM 48 kHz mono."""

    at: float
    pts: int
    pcm: bytes

    @property
    def loudness(self) -> float:
        """Mean absolute sample, 0 to 32768."""
        samples = memoryview(self.pcm).cast("h")
        return sum(map(abs, samples)) / len(samples) if len(samples) else 0.0


class Mouth(MediaStreamTrack):
    """Sends what `say` was given, silence otherwise, 20 ms a frame in real time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._pcm = bytearray()
        self._spoken = asyncio.Event()
        self._spoken.set()
        self._started: float | None = None
        self._frames = 0

    async def say(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._spoken.clear()
        await self._spoken.wait()

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._started = self._started or time.monotonic()
        await asyncio.sleep(max(0.0, self._started + self._frames * FRAME_S - time.monotonic()))
        pcm = bytes(self._pcm[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._pcm[:FRAME_BYTES]
        if not self._pcm:
            self._spoken.set()
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_BYTES // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._frames * 960, Fraction(1, RATE_HZ)
        self._frames += 1
        return frame


class Caller:
    """One call from the visitor's side."""

    def __init__(self, *, channels: bool = True, deaf: bool = False) -> None:
        """`deaf`: offers to send only, as encoders do."""
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.mouth = Mouth()
        self.heard: list[Heard] = []
        self.controls: list[dict[str, Any]] = []
        self.faces: list[dict[str, Any]] = []
        self.connected = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.control_open = asyncio.Event()
        self._ears: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.pc.addTransceiver(self.mouth, direction="sendonly" if deaf else "sendrecv")
        self.pc.on("track", self._listen)
        self.pc.on("connectionstatechange", self._state_changed)
        if channels:
            self.control = self.pc.createDataChannel("control")
            self.face = self.pc.createDataChannel("face", ordered=False, maxRetransmits=0)
            self.control.on("open", self.control_open.set)
            self.control.on("message", lambda text: self._told(self.controls, text))
            self.face.on("message", lambda text: self._told(self.faces, text))

    async def offer(self) -> str:
        """The SDP offer, with all candidates."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        """Take the answer and wait until the call stands."""
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await asyncio.wait_for(self.connected.wait(), 15)

    async def say(self, pcm: bytes, rate_hz: int = RATE_HZ) -> None:
        """Speak (mono s16le) in real time; returns when the last of it has been sent."""
        await self.mouth.say(pcm if rate_hz == RATE_HZ else resampled(pcm, rate_hz))

    async def say_wav(self, path: Path | str) -> None:
        with wave.open(str(path)) as sound:
            await self.say(sound.readframes(sound.getnframes()), sound.getframerate())

    def send(self, message: dict[str, Any]) -> None:
        """On `control`, as the page would."""
        self.control.send(json.dumps(message))

    def lose(self, pattern: list[bool]) -> None:
        """From now on the network loses the RTP packets for which the pattern, over and over, says True."""
        transport = self.pc.getSenders()[0].transport
        send, fates = transport._send_rtp, itertools.cycle(pattern)

        async def send_or_lose(data: bytes) -> None:
            if is_rtcp(data) or not next(fates):
                await send(data)

        transport._send_rtp = send_or_lose

    async def until(self, condition: Any, timeout_s: float = 15.0) -> None:
        """Wait until `condition()` is true; looked at whenever something comes (sound, a message, a state)."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def loud(self, threshold: float = 200.0) -> list[Heard]:
        """What was heard that is not silence."""
        return [piece for piece in self.heard if piece.loudness > threshold]

    async def close(self) -> None:
        for ear in list(self._ears):
            ear.cancel()
        if self._ears:
            await asyncio.wait(self._ears)
        await self.pc.close()

    def _listen(self, track: MediaStreamTrack) -> None:
        self._ears.add(asyncio.create_task(self._hear(track)))

    async def _hear(self, track: MediaStreamTrack) -> None:
        downmix = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        try:
            while True:
                frame = await track.recv()
                at = time.monotonic()
                for mono in downmix.resample(frame):
                    self.heard.append(Heard(at, frame.pts, bytes(mono.planes[0])[: mono.samples * 2]))
                self._changed.set()
        except MediaStreamError:
            pass

    def _told(self, where: list[dict[str, Any]], text: str) -> None:
        where.append(json.loads(text))
        self._changed.set()

    def _state_changed(self) -> None:
        if self.pc.connectionState == "connected":
            self.connected.set()
        elif self.pc.connectionState in {"failed", "closed"}:
            self.hung_up.set()
        self._changed.set()


def resampled(pcm: bytes, rate_hz: int) -> bytes:
    """Mono s16le at `rate_hz` to 48 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.sample_rate = rate_hz
    frame.planes[0].update(pcm)
    out = [*resampler.resample(frame), *resampler.resample(None)]
    return b"".join(bytes(piece.planes[0])[: piece.samples * 2] for piece in out)
