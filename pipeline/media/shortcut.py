"""RTP from the socket to the tap in one call.

aiortc's way puts each datagram on a queue, wakes a task, and goes through five coroutines and a general parser: a
third of what a packet costs in all. Everything but RTP still goes that way, and so does RTP until the keys are there.
"""

import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pylibsrtp import Error as SrtpError

log = logging.getLogger(__name__)

KEYS = "_rx_srtp"
"""Of an `aiortc.RTCDtlsTransport`: the `pylibsrtp.Session` that decrypts, None before the handshake. Private to aiortc
1.16 (pinned). tests/pipeline/media/test_shortcut.py notices when it disappears."""
HEADER = struct.Struct("!BBHLL")
LONGEST_BYTES = 2048
"""Of a datagram; no network carries an RTP packet of this length."""


@dataclass(slots=True)
class Rtp:
    """The fields of `aiortc.rtp.RtpPacket` that the tap looks at."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def possible(receiver: Any) -> bool:
    """Whether this receiver's transport still has what the shortcut needs. The log names what is missing."""
    if there := hasattr(receiver.transport, KEYS):
        return there
    log.warning("aiortc has no %s any more: packets go through its queue and task", KEYS)
    return False


def way(receiver: Any, take: Callable[[Rtp], None]) -> Callable[[bytes], bool]:
    """What is to be called with every datagram that may be RTP. It returns whether it took it; `take` may not raise."""

    def receive(data: bytes) -> bool:
        keys = getattr(receiver.transport, KEYS)
        if keys is None:
            return False
        if len(data) <= LONGEST_BYTES:
            try:
                packet = parsed(keys.unprotect(data))
            except SrtpError:  # forged, or seen before
                return True
            if packet is not None:
                take(packet)
        return True

    return receive


def parsed(data: bytes) -> Rtp | None:
    """RFC 3550, section 5.1. None: this is no RTP packet."""
    if len(data) < HEADER.size:
        return None
    flags, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    begin, end = HEADER.size + 4 * (flags & 0x0F), len(data)
    if flags & 0x10:
        if end < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    if flags & 0x20:
        if not 0 < data[-1] <= end - begin:
            return None
        end -= data[-1]
    if flags >> 6 != 2 or begin > end:
        return None
    return Rtp(kind & 0x7F, sequence, timestamp, ssrc, data[begin:end])
