"""Light callers for the media benchmark, many in one process: they send Opus made beforehand and decode nothing.

The connection is aiortc's (ICE, DTLS, SRTP); RTP is written by hand, since aiortc's own sender would need a core for
twenty callers.
"""

import asyncio
import ctypes
import math
import os
import random
import struct
import time
from array import array
from multiprocessing.connection import Connection
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from pipeline.media.addresses import LOOPBACK, gather_only

PACKET_S = 0.02
TICKS = 960
ROUND_S = 10.0
DUTY = 0.3
RING = 4096
"""Of send times, for each caller: 80 s."""
SLOTS = 10
"""Callers send in so many groups, spread over 20 ms."""


def speechlike(seconds: float, rate_hz: int) -> bytes:
    """Noisy harmonics with a syllable rhythm, mono s16le: dearer to encode than a sine."""
    dice = random.Random(1)
    samples = array("h")
    for i in range(int(rate_hz * seconds)):
        t = i / rate_hz
        envelope = max(0.0, math.sin(2 * math.pi * 4 * t))
        voiced = sum(math.sin(2 * math.pi * 120 * h * t) / h for h in range(1, 8))
        samples.append(int(envelope * (5000 * voiced + dice.gauss(0, 800)) / 2))
    return samples.tobytes()


def a_round() -> list[bytes]:
    """ROUND_S of what a browser sends, 20 ms a packet: speech for DUTY of it, a quiet room for the rest."""
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate, codec.sample_rate = 32_000, 48_000
    codec.format, codec.layout = av.AudioFormat("s16"), av.AudioLayout("mono")
    codec.options = {"application": "voip", "fec": "1", "packet_loss": "5", "frame_duration": "20"}
    dice = random.Random(2)
    room = array("h", (int(dice.gauss(0, 20)) for _ in range(int(48_000 * ROUND_S * (1 - DUTY)))))
    pcm, packets = speechlike(ROUND_S * DUTY, 48_000) + room.tobytes(), []
    for at in range(0, len(pcm), TICKS * 2):
        frame = av.AudioFrame(format="s16", layout="mono", samples=TICKS)
        frame.sample_rate, frame.pts = 48_000, at // 2
        frame.planes[0].update(pcm[at : at + TICKS * 2])
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


class Mute(MediaStreamTrack):
    """aiortc's sender waits for it for ever."""

    kind = "audio"

    async def recv(self) -> Any:
        await asyncio.Event().wait()


class LightCaller:
    """One call. `sent[n % RING]`: clock seconds at which its packet with the RTP timestamp n * TICKS was sent."""

    def __init__(self, sent: Any, offset: int, place: int) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._sender = self.pc.addTransceiver(Mute(), direction="sendrecv").sender
        self.pc.createDataChannel("control")
        self._sent, self._offset = sent, offset
        self._dice = random.Random(place)
        self._shift = self._dice.randrange(int(ROUND_S / PACKET_S))
        self._count = 0
        self._type = 0
        self.packets_in = 0

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        connected = asyncio.Event()
        self.pc.on("connectionstatechange", lambda: self.pc.connectionState == "connected" and connected.set())
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        receiver = self.pc.getReceivers()[0]
        receiver._handle_rtp_packet = self._count_packet
        await asyncio.wait_for(connected.wait(), 30)
        codecs: dict[int, RTCRtpCodecParameters] = receiver._RTCRtpReceiver__codecs
        self._type = next(number for number, codec in codecs.items() if codec.name == "opus")

    async def _count_packet(self, packet: Any, arrival_time_ms: int) -> None:
        self.packets_in += 1

    async def send(self, packets: list[bytes], loss: float) -> None:
        n, self._count = self._count, self._count + 1
        if self._dice.random() < loss:
            return
        header = struct.pack("!BBHLL", 0x80, self._type, n & 0xFFFF, n * TICKS & 0xFFFFFFFF, self._sender._ssrc)
        self._sent[self._offset + n % RING] = time.monotonic()
        await self._sender.transport._send_rtp(header + packets[(n + self._shift) % len(packets)])


def callers(pipe: Connection, sent: "ctypes.Array[ctypes.c_double]", count: int, loss: float, core: int | None) -> None:
    """A process: as many callers, until it is told that it is enough. Then says how many packets came to them."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_run(pipe, sent, count, loss))


async def _run(pipe: Connection, sent: Any, count: int, loss: float) -> None:
    gather_only(LOOPBACK)
    packets = a_round()
    made = [LightCaller(sent, place * RING, place) for place in range(count)]
    for caller in made:
        pipe.send(await caller.offer())
        await caller.accept(await asyncio.to_thread(pipe.recv))
    pipe.send("connected")
    sending = asyncio.create_task(_send(made, packets, loss))
    await asyncio.to_thread(pipe.recv)
    sending.cancel()
    await asyncio.wait({sending})
    pipe.send(sum(caller.packets_in for caller in made))
    await asyncio.gather(*(caller.pc.close() for caller in made))


async def _send(made: list[LightCaller], packets: list[bytes], loss: float) -> None:
    """50 packets a second and caller, by absolute deadlines."""
    began, slot = time.monotonic(), 0
    while True:
        for caller in made[slot % SLOTS :: SLOTS]:
            await caller.send(packets, loss)
        slot += 1
        await asyncio.sleep(began + slot * PACKET_S / SLOTS - time.monotonic())
