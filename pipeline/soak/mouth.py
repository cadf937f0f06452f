"""What a caller sends: 20 ms of Opus at a time, its own recording or silence, paced like a microphone."""

import asyncio
import time
from collections import deque
from fractions import Fraction

import av
from aiortc import MediaStreamTrack

from pipeline.contracts.numbers import PACKET_MS, WIRE_RATE_HZ
from pipeline.soak.lines import SILENCE, Line

PACKET_S = PACKET_MS / 1000
TIME_BASE = Fraction(1, WIRE_RATE_HZ)
LATE_LIMIT_S = 0.5
"""Later than this (the machine slept) the missed packets are not sent after: time goes on from here."""


class Mouth(MediaStreamTrack):
    """A track of ready-made packets: a caller costs no encoder."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets: deque[bytes] = deque()
        self._line: Line | None = None
        self._sent = 0
        self._due_s: float | None = None
        self.began_s: float | None = None
        """When the first sample of the line being said was spoken: a microphone hands a packet on at its end."""
        self.ended_s: float | None = None
        """When its last audible sample was spoken; None while it is being said."""

    def say(self, line: Line) -> None:
        """Say this now, in place of anything still being said."""
        self._packets = deque(line.packets)
        self._line = line
        self.began_s = self.ended_s = None

    async def recv(self) -> av.Packet:
        await self._pace()
        packet = av.Packet(self._next())
        packet.pts = self._sent * PACKET_MS * WIRE_RATE_HZ // 1000
        packet.time_base = TIME_BASE
        self._sent += 1
        return packet

    async def _pace(self) -> None:
        now_s = time.monotonic()
        if self._due_s is None or now_s - self._due_s > LATE_LIMIT_S:
            self._due_s = now_s
        await asyncio.sleep(self._due_s - now_s)
        self._due_s += PACKET_S

    def _next(self) -> bytes:
        if self._line is None:
            return SILENCE
        if self.began_s is None:
            self.began_s = time.monotonic() - PACKET_S
        packet = self._packets.popleft()
        if not self._packets:
            self.ended_s = self.began_s + self._line.speech_end_ms / 1000
            self._line = None
        return packet
