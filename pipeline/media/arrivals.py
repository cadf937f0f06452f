"""What happens to RTP packets between the socket and the decoder.

aiortc's jitter buffer holds four packets (80 ms) before the first comes out, and after a loss up to sixteen (320 ms)
for good, since it releases one packet for each that arrives. That serves playing; a recogniser wants to hear now. So
ours releases each packet as it comes, and gives up on packets that were overtaken: a reordered packet costs 20 ms of
sound, which the microphone replaces by silence.
"""

import logging
from typing import Any

from aiortc.jitterbuffer import JitterFrame

from pipeline.contracts.numbers import WIRE_RATE_HZ
from pipeline.core.ports import Clock

log = logging.getLogger(__name__)

BUFFER = "_RTCRtpReceiver__jitter_buffer"
"""Private to aiortc 1.16 (pinned). tests/pipeline/media/test_arrivals.py notices when it disappears."""
RESTART = 3000
"""Sequence numbers this far off are a new beginning, not loss or reordering (MAX_DROPOUT in RFC 3550, A.1)."""
REMEMBERED = 64


class Arrivals:
    """Stands in for `aiortc.jitterbuffer.JitterBuffer`, and counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._highest: int | None = None
        self._transit: float | None = None
        self._first_timestamp = 0
        self._arrived_s: dict[int, float] = {}
        self.packets_in = 0
        self.packets_lost = 0
        self.jitter_ms = 0.0
        self.delay_ms = 0.0
        """Arrival of a packet → its sound in the microphone, smoothed."""

    def add(self, packet: Any) -> tuple[bool, JitterFrame | None]:
        """(whether a key frame is needed: never, the frame to decode or None), as aiortc expects it.

        An empty payload is thrown away: to the decoder it would mean the end of the stream.
        """
        if not packet._data or not self._newest(packet.sequence_number):
            return False, None
        now = self._clock.now()
        if not self.packets_in:
            self._first_timestamp = packet.timestamp
        self.packets_in += 1
        self._measure_jitter(packet.timestamp, now)
        self._arrived_s[(packet.timestamp - self._first_timestamp) & 0xFFFFFFFF] = now
        if len(self._arrived_s) > REMEMBERED:
            self._arrived_s.pop(next(iter(self._arrived_s)))
        return False, JitterFrame(data=packet._data, timestamp=packet.timestamp)

    def heard(self, pts: int) -> None:
        """The sound of the packet with this (zero-based) RTP timestamp has reached the microphone."""
        arrived_s = self._arrived_s.pop(pts & 0xFFFFFFFF, None)
        if arrived_s is not None:
            self.delay_ms += ((self._clock.now() - arrived_s) * 1000 - self.delay_ms) / 16

    def _newest(self, sequence: int) -> bool:
        ahead = (sequence - self._highest) & 0xFFFF if self._highest is not None else 1
        late = ahead > 0x10000 - RESTART or ahead == 0
        if late:
            return False
        if ahead < RESTART:
            self.packets_lost += ahead - 1
        self._highest = sequence
        return True

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        """Interarrival jitter, RFC 3550 section 6.4.1, in ms."""
        transit = now * 1000 - timestamp * 1000 / WIRE_RATE_HZ
        if self._transit is not None and abs(transit - self._transit) < 10_000:
            self.jitter_ms += (abs(transit - self._transit) - self.jitter_ms) / 16
        self._transit = transit


def install(receiver: Any, clock: Clock) -> Arrivals:
    """Have this `aiortc.RTCRtpReceiver` use an Arrivals. Where aiortc has changed inside, calls go on, 80 ms later."""
    arrivals = Arrivals(clock)
    if hasattr(receiver, BUFFER):
        setattr(receiver, BUFFER, arrivals)
    else:
        log.warning(
            "aiortc has no %s any more: sound comes through its own jitter buffer, later and unmeasured", BUFFER
        )
    return arrivals
