"""Callers in a process of their own. The conversation is that of `inproc.caller`, its 20 ms are Opus packets here.

They send recordings encoded beforehand, and decode what comes only to see whether it is audible.
"""

import asyncio
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.inproc.caller import Caller
from benchmarks.inproc.sounds import RATE_HZ, Utterance, load
from benchmarks.inproc.tally import Tally, summary
from benchmarks.inproc.ticker import Ticker
from benchmarks.media_callers import LightCaller
from benchmarks.webrtc.shared import RING, Shared
from pipeline.media.addresses import LOOPBACK, gather_only
from pipeline.soak.lines import Decoder

AUDIBLE = 300
"""A packet with a sample of this size is heard: the tone of our engines has 3000, what is faded out less."""
QUIET_ROOM = 20.0
"""Standard deviation of the noise in a caller's room, in units of 16 bit."""


def encoded(said: list[Utterance]) -> list[Utterance]:
    """The same with Opus packets as frames."""
    return [Utterance(u.text, tuple(opus(b"".join(u.frames))), u.onset_ms, u.end_ms) for u in said]


def opus(pcm: bytes) -> list[bytes]:
    """16 kHz mono s16le as 20 ms packets, in-band FEC as browsers send it."""
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate, codec.sample_rate = 32_000, RATE_HZ
    codec.format, codec.layout = av.AudioFormat("s16"), av.AudioLayout("mono")
    codec.options = {"application": "voip", "fec": "1", "packet_loss": "5", "frame_duration": "20"}
    packets = []
    for at in range(0, len(pcm), 640):
        frame = av.AudioFrame(format="s16", layout="mono", samples=320)
        frame.sample_rate, frame.pts = RATE_HZ, at // 2
        frame.planes[0].update(pcm[at : at + 640].ljust(640, b"\0"))
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def a_quiet_room() -> bytes:
    """One packet of faint noise, which is sent over and over while nobody speaks."""
    noise = np.random.default_rng(1).normal(0, QUIET_ROOM, 3200).astype("<i2")
    return opus(noise.tobytes())[-1]


class Phone(LightCaller):
    """A light caller that carries what a `Caller` says and hears."""

    def __init__(self, shared: Shared, place: int, said: list[Utterance], tally: Tally, room: bytes) -> None:
        super().__init__(shared.sent_s, place * RING, place)
        self._shared, self._place = shared, place
        self._texts = [u.text for u in said]
        self._decode = Decoder()
        self.caller = Caller(place, said, tally, silence=room, audible=self._audible)
        self.caller.hear = self._keep

    def _keep(self, payload: bytes) -> None:
        """`LightCaller.send` writes to a socket, which never waits: a task ends in the same turn of the loop."""
        self._shared.saying[self._place] = self._texts.index(self.caller.words) if self.caller.words else -1
        sending = self.send([payload], 0.0)
        try:
            sending.send(None)
        except StopIteration:
            return
        raise RuntimeError("a packet could not be sent at once")

    def _audible(self, payload: bytes) -> bool:
        return bool(np.abs(self._decode(payload)).max() >= AUDIBLE)

    async def _count_packet(self, packet: Any, arrival_time_ms: int) -> None:
        self.packets_in += 1
        if packet.payload:
            self.caller.decided(self._shared.decided_s[self._place])
            self.caller.heard(packet.payload)


def callers(pipe: Connection, shared: Shared, count: int, sounds: str, core: int | None) -> None:
    """The process. Protocol over `pipe`: offers and answers, "connected"; then "count", "enough" → the figures."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_run(pipe, shared, count, sounds))


async def _run(pipe: Connection, shared: Shared, count: int, sounds: str) -> None:
    gather_only(LOOPBACK)
    tally, room = Tally(), a_quiet_room()
    voices = [encoded(said) for said in load(Path(sounds)).values()]
    phones = [Phone(shared, place, voices[place % len(voices)], tally, room) for place in range(count)]
    for phone in phones:
        pipe.send(await phone.offer())
        await phone.accept(await asyncio.to_thread(pipe.recv))
    pipe.send("connected")
    loop = asyncio.get_running_loop()
    ticker = Ticker([phone.caller for phone in phones])
    talking = [asyncio.create_task(phone.caller.run(loop.time() + 3600)) for phone in phones]
    await asyncio.to_thread(pipe.recv)
    tally.open, ticker.late_s, began_s = True, 0.0, time.process_time()
    await asyncio.to_thread(pipe.recv)
    tally.open = False
    figures = {**summary(tally), "speech_s": tally.speech_s, "callers_late_ms": round(ticker.late_s * 1000, 1)}
    figures["callers_cpu_s"] = round(time.process_time() - began_s, 1)
    ticker.stop()
    for task in talking:
        task.cancel()
    pipe.send(figures)
    await asyncio.gather(*talking, return_exceptions=True)
    await asyncio.gather(*(phone.pc.close() for phone in phones))
