"""The filter at the socket: only the visitor's own datagrams reach aioice and aiortc.

aioice takes datagrams from any address and puts what is not STUN on the connection's queue, where one empty datagram
ends the call (`data[0]` in aiortc's DTLS pump). We let through STUN, which authenticates itself (MESSAGE-INTEGRITY,
RFC 8445), and DTLS and RTP only from addresses that passed such a check. Kinds of datagram by first byte: RFC 7983.
"""

import logging
from collections.abc import Callable
from typing import Any

from aioice.candidate import candidate_priority

log = logging.getLogger(__name__)

STUN_BYTES = 20
STUN_COOKIE = b"\x21\x12\xa4\x42"
DATAGRAM_BYTES = 4096
"""No longer ones are taken: nothing that belongs to a call is longer than an Ethernet frame. asyncio would make room
for 256 KiB before each, which costs ten times what reading takes (13 of 15 µs)."""
LEAST_BYTES = 12
"""An RTP header (RFC 3550). DTLS records and SRTCP packets are longer."""


class Guard:
    """Watches the sockets of one `aioice.Connection`. `dropped` counts what it kept out."""

    def __init__(self, connection: Any, on_heard: Callable[[], None]) -> None:
        self._connection = connection
        self._on_heard = on_heard
        self._trusted: set[tuple[str, int]] = set()
        self.on_rtp: Callable[[bytes], bool] = _not_taken
        """Called with every datagram that may be RTP; False: it is to go aiortc's way."""
        self.dropped = 0

    def receive(self, protocol: Any, data: bytes, addr: tuple[Any, ...]) -> None:
        """One datagram came to `protocol` (an `aioice.ice.StunProtocol`)."""
        if is_stun(data):
            self._receive_stun(protocol, data, addr)
        elif is_media(data) and self._trusts((addr[0], addr[1])):
            self._on_heard()
            if not is_rtp(data) or not self.on_rtp(data):
                self._connection.data_received(data, protocol.local_candidate.component)
        else:
            self.dropped += 1

    def _receive_stun(self, protocol: Any, data: bytes, addr: tuple[Any, ...]) -> None:
        try:
            type(protocol).datagram_received(protocol, data, addr)
        except Exception:  # malformed attributes raise all kinds
            self.dropped += 1
            log.debug("a malformed STUN message was dropped", exc_info=True)

    def _trusts(self, addr: tuple[str, int]) -> bool:
        """aioice's remote candidates: announced in the offer, or learned from a check with the right password."""
        if addr not in self._trusted:
            known = {(c._network_host, c.port) for c in self._connection._remote_candidates}
            early = {(a[0], a[1]) for _, a, _ in self._connection._early_checks}
            if addr not in known | early:
                return False
            self._trusted.add(addr)
        return True


def is_stun(data: bytes) -> bool:
    return len(data) >= STUN_BYTES and data[0] < 4 and data[4:8] == STUN_COOKIE


def is_media(data: bytes) -> bool:
    """DTLS or (S)RTP or (S)RTCP."""
    return len(data) >= LEAST_BYTES and (20 <= data[0] <= 63 or 128 <= data[0] <= 191)


def is_rtp(data: bytes) -> bool:
    """Of what is media: neither DTLS nor RTCP (RFC 5761, section 4)."""
    return data[0] >= 128 and not 192 <= data[1] <= 208


def _not_taken(data: bytes) -> bool:
    return False


def install(connection: Any, on_heard: Callable[[], None]) -> Guard:
    """Guard the sockets of an `aioice.Connection` that has gathered. Where aioice has changed, calls go unguarded."""
    guard = Guard(connection, on_heard)
    needed = ("_protocols", "_remote_candidates", "_early_checks", "check_incoming", "data_received")
    if missing := [name for name in needed if not hasattr(connection, name)]:
        log.warning("aioice has no %s any more: stray datagrams are not filtered", ", ".join(missing))
        return guard
    for protocol in connection._protocols:
        protocol.datagram_received = _receiver(guard, protocol)
        protocol.transport.max_size = DATAGRAM_BYTES
    connection.check_incoming = _lenient(connection.check_incoming)
    return guard


def _lenient(check_incoming: Callable[..., None]) -> Callable[..., None]:
    """ffmpeg's WHIP muxer names no candidates and leaves PRIORITY (RFC 8445, section 7.1.1) out of its checks, without
    which aioice cannot learn its address. Asked after MESSAGE-INTEGRITY was checked."""

    def check(message: Any, addr: tuple[str, int], protocol: Any) -> None:
        message.attributes.setdefault("PRIORITY", candidate_priority(protocol.local_candidate.component, "prflx"))
        check_incoming(message, addr, protocol)

    return check


def _receiver(guard: Guard, protocol: Any) -> Callable[[bytes, tuple[Any, ...]], None]:
    def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
        guard.receive(protocol, data, addr)

    return datagram_received
