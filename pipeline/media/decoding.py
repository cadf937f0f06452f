"""Opus packets, in order, to 16 kHz mono; what was lost is recovered from the packet after it, or concealed."""

from collections.abc import Callable
from typing import Protocol

from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS, WIRE_RATE_HZ
from pipeline.media.libopus import Decoder, OpusError

TICKS = WIRE_RATE_HZ // EAR_RATE_HZ
"""Of the RTP clock, for each sample."""
CONCEALED_PACKETS = 5
"""100 ms: by then libopus has faded out; the microphone fills what is missing beyond with silence."""
NEW_STREAM_TICKS = 10 * WIRE_RATE_HZ
DTX_BYTES = 2
"""A packet this short says that the browser sends nothing more until there is sound (RFC 6716, section 2.1.9)."""


class Ear(Protocol):
    """Who hears: `media.microphone.Microphone`."""

    @property
    def attached(self) -> bool: ...
    def hear(self, pts: int, ticks: int, pcm: bytes) -> None: ...


class Decoding:
    """`media.arrivals.Sink` with a decoder of its own. Nothing that a visitor sends makes it raise."""

    def __init__(self, ear: Ear, on_quiet: Callable[[bool], None]) -> None:
        """`on_quiet`: whether the packet just heard says that nothing will come for a while. Raises OSError when there
        is no libopus."""
        self._ear = ear
        self._on_quiet = on_quiet
        self._decoder = Decoder(EAR_RATE_HZ)
        self._frame_samples = EAR_RATE_HZ * PACKET_MS // 1000
        self._timestamp: int | None = None
        self._pts = 0
        self._next_pts = 0
        self.packets_bad = 0
        """Which the decoder refused; they were concealed."""
        self.packets_concealed = 0

    def restart(self) -> None:
        self._decoder.reset()
        self._timestamp = None

    def packet(self, timestamp: int, payload: bytes) -> None:
        pts = self._unwrapped(timestamp)
        if not payload:  # padding alone
            return
        if self._ear.attached:
            pcm = self._decoded(payload)
            self._frame_samples = len(pcm) // 2 or self._frame_samples
            self._heard(pts, pcm)
        else:
            self._next_pts = pts + self._frame_samples * TICKS
        self._on_quiet(len(payload) <= DTX_BYTES)

    def lost(self, count: int, timestamp: int, payload: bytes) -> None:
        """The last one is recovered, those before it are concealed, as far as there is a gap in time at all."""
        if self._timestamp is None or not self._ear.attached:
            return
        pts, ticks = self._unwrapped(timestamp), self._frame_samples * TICKS
        count = min(count, (pts - self._next_pts) // ticks)
        for _ in range(min(count - 1, CONCEALED_PACKETS - 1)):
            self._heard(self._next_pts, self._concealed())
        if count > 0:
            self._heard(pts - ticks, self._recovered(payload))

    def _heard(self, pts: int, pcm: bytes) -> None:
        ticks = len(pcm) // 2 * TICKS
        self._next_pts = pts + ticks
        self._ear.hear(pts, ticks, pcm)

    def _decoded(self, payload: bytes) -> bytes:
        try:
            return self._decoder.decode(payload)
        except OpusError:
            self.packets_bad += 1
            return self._concealed()

    def _recovered(self, following: bytes) -> bytes:
        """libopus conceals by itself where the packet carries no redundancy."""
        self.packets_concealed += 1
        try:
            return self._decoder.recover(following, self._frame_samples)
        except OpusError:
            return bytes(self._frame_samples * 2)

    def _concealed(self) -> bytes:
        self.packets_concealed += 1
        try:
            return self._decoder.conceal(self._frame_samples)
        except OpusError:
            return bytes(self._frame_samples * 2)

    def _unwrapped(self, timestamp: int) -> int:
        """RTP timestamps begin anywhere and wrap after 24 hours; these go on. A new stream is so far off that nobody
        takes the time before it for a gap."""
        if self._timestamp is None:
            self._pts = self._next_pts + NEW_STREAM_TICKS
        else:
            self._pts += ((timestamp - self._timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        self._timestamp = timestamp
        return self._pts
