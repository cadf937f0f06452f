"""A stranger's DTLS ClientHello that comes before the visitor's own: media servers that answer it lose the call
(https://www.rtcsec.com/article/novel-dos-vulnerability-affecting-webrtc-media-servers/; OWASP ASVS 5.0, V17.2.6)."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from OpenSSL import SSL

from pipeline.core.clock import MonotonicClock
from pipeline.media.peer import Peer, answer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.hearing import Ear
from tests.pipeline.media.test_guard import request

EVERY_S = 0.002


def client_hello() -> bytes:
    """As OpenSSL makes one, with a certificate of nobody's."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    connection = SSL.Connection(context)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(4096)


@contextlib.asynccontextmanager
async def a_racer(peer: Peer, *, checks_first: bool) -> AsyncIterator[socket.socket]:
    """Sends it to all of the peer's sockets, over and over. `checks_first`: after STUN checks with a wrong password."""
    (ice,) = peer._connection.ice()
    targets = [protocol.transport.get_extra_info("sockname") for protocol in ice._protocols]
    datagrams = [client_hello()]
    if checks_first:
        datagrams.insert(0, request(f"{ice.local_username}:{ice.remote_username}", "wrong" * 6))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)

        async def race() -> None:
            while True:
                for target in targets:
                    for datagram in datagrams:
                        stranger.sendto(datagram, target[:2])
                await asyncio.sleep(EVERY_S)

        racing = asyncio.create_task(race())
        try:
            await asyncio.sleep(10 * EVERY_S)  # well ahead of the visitor
            yield stranger
        finally:
            racing.cancel()
            await asyncio.wait({racing})


def heard_by(stranger: socket.socket) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(stranger.recv(4096))
    return found


@pytest.mark.parametrize("checks_first", [False, True])
@pytest.mark.parametrize("our_role", ["client", "server"])
async def test_a_strangers_hello_is_not_answered_and_the_call_comes_up(our_role: str, checks_first: bool) -> None:
    caller, clock = Caller(), MonotonicClock()
    sdp = await caller.offer()
    if our_role == "server":
        sdp = sdp.replace("a=setup:actpass", "a=setup:active")
    peer, ours = await answer(sdp, clock=clock, session_t0=clock.now())
    assert f"a=setup:{'passive' if our_role == 'server' else 'active'}" in ours
    async with a_racer(peer, checks_first=checks_first) as stranger:
        await caller.accept(ours)
        ear = Ear(peer)
        speaking = asyncio.create_task(caller.say(tone(300, 0.4, 48_000)))
        await ear.until(lambda: len(ear.loud()) >= 10)
        await speaking
        assert peer._connection.pc.connectionState == "connected"
        told = heard_by(stranger)
    assert peer.stats()["datagrams_dropped"] > 5
    assert [one for one in told if 20 <= one[0] <= 63] == [], "somebody spoke DTLS to the stranger"
    await peer.close()
    await caller.close()


def test_the_hello_is_one() -> None:
    hello = client_hello()
    assert hello[0] == 22 and hello[13] == 1, "handshake, ClientHello (RFC 6347, sections 4.1 and 4.3.2)"
