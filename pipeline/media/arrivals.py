"""RTP packets in the order they were sent, as soon as that order is known.

aiortc's jitter buffer holds four packets (80 ms) before the first comes out, and after a loss up to sixteen (320 ms)
for good. That serves playing; a recogniser wants to hear now. Here a packet is held only while one before it is
missing, until REORDER_PACKETS wait or HOLD_S has passed, whichever comes first: then the missing ones are lost.
"""

from typing import Protocol

from pipeline.contracts.numbers import WIRE_RATE_HZ

RESTART = 3000
"""Sequence numbers this far off are a new beginning, not loss or reordering (MAX_DROPOUT in RFC 3550, A.1)."""
REORDER_PACKETS = 2
HOLD_S = 0.03
"""Asked each 20 ms (`expire`): nothing is held longer than 60 ms."""


class RtpPacket(Protocol):
    """The fields of `aiortc.rtp.RtpPacket` that count here."""

    ssrc: int
    sequence_number: int
    timestamp: int
    payload: bytes


class Sink(Protocol):
    """Who gets the packets, in order. None of these may raise."""

    def restart(self) -> None:
        """Another stream begins with the next packet."""
        ...

    def packet(self, timestamp: int, payload: bytes) -> None: ...

    def lost(self, count: int, timestamp: int, payload: bytes) -> None:
        """So many packets are missing before the one with this timestamp and payload, which `packet` brings next."""
        ...


class Arrivals:
    """One receiver's packets: ordered and counted. Times in clock seconds."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ssrc: int | None = None
        self._expected = 0
        self._held: dict[int, tuple[int, bytes, float]] = {}
        self._held_since = 0.0
        self._transit: float | None = None
        self.packets_in = 0
        self.packets_lost = 0
        self.packets_late = 0
        """Came twice, or after they had been given up."""
        self.jitter_ms = 0.0
        self.delay_ms = 0.0
        """How long packets are held, smoothed."""
        self.longest_delay_ms = 0.0

    def add(self, packet: RtpPacket, now: float) -> None:
        sequence = packet.sequence_number
        if packet.ssrc != self._ssrc:
            self._begin(packet)
        ahead = (sequence - self._expected) & 0xFFFF
        if RESTART <= ahead <= 0x10000 - RESTART:
            self._begin(packet)
            ahead = 0
        if ahead > 0x10000 - RESTART or sequence in self._held:
            self.packets_late += 1
            return
        self.packets_in += 1
        self._measure_jitter(packet.timestamp, now)
        if ahead == 0:
            self._release(packet.timestamp, packet.payload, now, now)
            self._follow(now)
        else:
            self._hold(packet, now)

    def expire(self, now: float) -> None:
        """To be called each 20 ms or so: what has been missing for too long is lost."""
        if self._held and now - self._held_since >= HOLD_S:
            self._give_up(now)

    def _begin(self, packet: RtpPacket) -> None:
        self._sink.restart()
        self._ssrc, self._expected, self._transit = packet.ssrc, packet.sequence_number, None
        self._held.clear()

    def _hold(self, packet: RtpPacket, now: float) -> None:
        if not self._held:
            self._held_since = now
        self._held[packet.sequence_number] = (packet.timestamp, packet.payload, now)
        if len(self._held) >= REORDER_PACKETS:
            self._give_up(now)

    def _give_up(self, now: float) -> None:
        """On the missing packets before the first that is held."""
        first = min(self._held, key=lambda sequence: (sequence - self._expected) & 0xFFFF)
        count = (first - self._expected) & 0xFFFF
        self.packets_lost += count
        timestamp, payload, _ = self._held[first]
        self._sink.lost(count, timestamp, payload)
        self._expected = first
        self._follow(now)

    def _follow(self, now: float) -> None:
        """Release what was held, up to the next one that is missing."""
        while self._held and (held := self._held.pop(self._expected, None)):
            self._release(*held, now)
            self._held_since = now

    def _release(self, timestamp: int, payload: bytes, came: float, now: float) -> None:
        self._expected = (self._expected + 1) & 0xFFFF
        delay_ms = (now - came) * 1000
        self.delay_ms += (delay_ms - self.delay_ms) / 16
        self.longest_delay_ms = max(self.longest_delay_ms, delay_ms)
        self._sink.packet(timestamp, payload)

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        """Interarrival jitter, RFC 3550 section 6.4.1, in ms."""
        transit = now * 1000 - timestamp * 1000 / WIRE_RATE_HZ
        if self._transit is not None and abs(transit - self._transit) < 10_000:
            self.jitter_ms += (abs(transit - self._transit) - self.jitter_ms) / 16
        self._transit = transit
