"""RTP packets written here and sent through aiortc's transport in one call.

aiortc's sender would be woken for each packet, and copy and take apart what it is given: 40 µs, here 6. It goes on
negotiating and making sender reports, from counters that are kept for it.
"""

import logging
import random
import struct
from typing import Any

from aiortc import clock

from pipeline.contracts.numbers import PACKET_MS, WIRE_RATE_HZ

log = logging.getLogger(__name__)

PACKETS = "_RTCRtpSender__packet_count"
OCTETS = "_RTCRtpSender__octet_count"
NTP_TIME = "_RTCRtpSender__ntp_timestamp"
RTP_TIME = "_RTCRtpSender__rtp_timestamp"
"""What sender reports are made of (RFC 3550, section 6.4.1)."""
SSRC = "_ssrc"
SEND = "_send_rtp"
"""Of its transport. All private to aiortc 1.16 (pinned). tests/pipeline/media/test_departures.py notices when they
disappear."""
HEADER = struct.Struct("!BBHLL")
PACKET_TICKS = WIRE_RATE_HZ * PACKET_MS // 1000


def possible(sender: Any) -> bool:
    """Whether this `aiortc.RTCRtpSender` still has what is needed. The log names what is missing."""
    missing = [name for name in (PACKETS, OCTETS, NTP_TIME, RTP_TIME, SSRC) if not hasattr(sender, name)]
    missing += [] if hasattr(sender.transport, SEND) else [SEND]
    if missing:
        log.warning("aiortc has no %s any more: its sender is given the packets", ", ".join(missing))
    return not missing


class Departures:
    """One sender's packets."""

    def __init__(self, sender: Any, payload_type: int) -> None:
        self._sender = sender
        self._type = payload_type
        self._sequence = random.getrandbits(15)  # half the range: wrapping at once is hard on SRTP
        self._origin = random.getrandbits(32)
        self._next_ticks: int | None = None

    def send(self, payload: bytes, ticks: int) -> bool:
        """`ticks`: of the RTP clock, since the first packet. False: aiortc would have to wait before it can send, which
        it never does as it is. A connection that is gone swallows the packet."""
        marker = 0 if ticks == self._next_ticks else 0x80  # a talkspurt begins (RFC 3551, section 4.1)
        self._next_ticks = ticks + PACKET_TICKS
        timestamp = (self._origin + ticks) & 0xFFFFFFFF
        header = HEADER.pack(0x80, marker | self._type, self._sequence, timestamp, getattr(self._sender, SSRC))
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            sent = _done_at_once(getattr(self._sender.transport, SEND)(header + payload))
        except ConnectionError:
            return True
        self._count(len(payload), timestamp)
        return sent

    def _count(self, octets: int, timestamp: int) -> None:
        sender = self._sender
        setattr(sender, PACKETS, getattr(sender, PACKETS) + 1)
        setattr(sender, OCTETS, getattr(sender, OCTETS) + octets)
        setattr(sender, NTP_TIME, clock.current_ntp_time())
        setattr(sender, RTP_TIME, timestamp)


def _done_at_once(coroutine: Any) -> bool:
    """Run what is a coroutine in name only. False: it wanted to wait, and was closed."""
    try:
        coroutine.send(None)
    except StopIteration:
        return True
    coroutine.close()
    return False
