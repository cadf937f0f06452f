import asyncio
import os
import random
import socket

import aioice
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media import guard
from tests.pipeline.media.conftest import tone


def request(username: str, password: str) -> bytes:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes.update({"USERNAME": username, "PRIORITY": 1, "ICE-CONTROLLING": 1, "USE-CANDIDATE": None})
    message.add_message_integrity(password.encode())
    return bytes(message)


def garbage(user: str) -> list[bytes]:
    """What ended calls, or might: empty, tiny, random, look-alikes of each protocol, STUN with a wrong password."""
    dice = random.Random(7)
    fixed = [
        b"",
        b"\0",
        b"\x80",
        b"\x16",
        b"\x16\xfe\xfd" + bytes(10) + b"\xff" * 40,
        b"\x15\xfe\xfd" + bytes(8) + b"\0\2\2\x28",  # a DTLS alert: fatal, handshake failure
        b"\x80\x6f" + bytes(30),
        b"\x80\xc8" + bytes(26),
        b"\0\1\0\4\x21\x12\xa4\x42" + bytes(12) + b"\0\6\xff\xff",
        request(user, "wrong" * 6),
        request("nobody:else", "wrong" * 6),
        request(user, "wrong" * 6)[:-3],
    ]
    return fixed + [dice.randbytes(dice.randrange(0, 1500)) for _ in range(100)]


async def test_strangers_cannot_end_a_call_or_be_heard_in_it(call):
    peer, caller = await call()
    (ice,) = peer._connection.ice()
    targets = [protocol.transport.get_extra_info("sockname") for protocol in ice._protocols]
    peer.speaker.begin(1, lambda: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for _ in range(3):
            for datagram in garbage(f"{ice.local_username}:{ice.remote_username}"):
                for target in targets:
                    stranger.sendto(datagram, target)
            await peer.speaker.play(tone(440, 0.2, 48_000), 48_000)
        known = {(c.host, c.port) for c in ice.remote_candidates}
        assert stranger.getsockname() not in known
    await peer.speaker.drain()
    heard = len(caller.heard)
    await caller.until(lambda: len(caller.heard) > heard or len(caller.loud()) >= 20)
    before = peer.stats()["packets_in"]
    await caller.say(tone(300, 0.3, 48_000))
    caller.send({"type": "still here"})
    peer.speaker.begin(2, lambda: None)
    await peer.speaker.play(tone(440, 0.2, 48_000), 48_000)
    assert peer.stats()["datagrams_dropped"] > 100
    assert peer.stats()["packets_in"] > before
    assert peer._connection.pc.connectionState == "connected"


async def test_spoofed_garbage_from_the_visitors_own_port_does_not_end_the_call(call):
    peer, caller = await call()
    (ours,), (theirs,) = peer._connection.ice(), [caller.pc.sctp.transport.transport._connection]
    target = ours._protocols[0].transport.get_extra_info("sockname")
    for datagram in garbage("a:b"):
        theirs._protocols[0].transport.sendto(datagram, target)
    before = peer.stats()["packets_in"]
    await caller.say(tone(300, 0.3, 48_000))
    assert peer._connection.pc.connectionState == "connected"
    assert peer.stats()["packets_in"] > before


async def test_aioice_still_has_what_the_guard_looks_at(caplog):
    ice = aioice.Connection(ice_controlling=False)
    await ice.gather_candidates()
    guard.install(ice, lambda: None)
    assert not caplog.records
    assert ice._protocols and all("datagram_received" in vars(protocol) for protocol in ice._protocols)
    await ice.close()


def test_without_those_names_calls_go_unguarded_and_the_log_says_so(caplog):
    guard.install(object(), lambda: None)
    assert len(caplog.records) == 1


class Ice:
    """The few names of `aioice.Connection` that the guard knows."""

    class Remote:
        _network_host, port = "192.0.2.7", 4000

    def __init__(self) -> None:
        self._remote_candidates, self._early_checks, self._protocols = [Ice.Remote()], [], []
        self.got: list[bytes] = []

    def data_received(self, data: bytes, component: int) -> None:
        self.got.append(data)


class Socket:
    class local_candidate:  # noqa: N801
        component = 1

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        stun.parse_message(data)


@given(st.binary(max_size=200), st.booleans())
def test_only_media_from_a_known_address_gets_through(data, known):
    ice, heard = Ice(), []
    watch = guard.Guard(ice, lambda: heard.append(1))
    watch.receive(Socket(), data, ("192.0.2.7", 4000) if known else ("192.0.2.8", 4000))
    expected = [data] if known and guard.is_media(data) else []
    assert ice.got == expected and len(heard) == len(expected)


@given(st.binary(max_size=100))
def test_malformed_stun_never_raises(tail):
    watch = guard.Guard(Ice(), lambda: None)
    header = b"\0\1" + len(tail).to_bytes(2, "big") + guard.STUN_COOKIE + os.urandom(12)
    watch.receive(Socket(), header + tail, ("192.0.2.8", 1))


def test_media_that_comes_before_the_check_list_is_known_counts_by_its_early_check():
    ice = Ice()
    ice._early_checks.append((None, ("192.0.2.9", 5000), None))
    guard.Guard(ice, lambda: None).receive(Socket(), b"\x80" * 20, ("192.0.2.9", 5000))
    assert ice.got


async def test_asyncio_still_asks_the_transport_how_much_to_read() -> None:
    """Private to asyncio: where it is gone, reading costs ten times as much again."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    try:
        assert transport.max_size > guard.DATAGRAM_BYTES  # type: ignore[attr-defined]
    finally:
        transport.close()
        await asyncio.sleep(0)
