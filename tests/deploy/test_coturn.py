"""A real coturn with the configuration we ship, and the credentials that sessions get."""

import asyncio
import ipaddress
import re
import secrets
import time
from collections.abc import Iterator

import pytest
from aioice import stun, turn

from sessions_app.edge.relays import credentials
from tests.fakes.coturn import CONF, a_relay

pytestmark = pytest.mark.slow
SECRET = secrets.token_hex(32)
WORKER = "127.0.0.1"
"""A worker at a private address, for which the configuration makes its exception."""
DENIED = [
    "10.1.2.3", "100.64.0.1", "127.0.0.2", "169.254.169.254", "172.31.0.1", "192.168.1.1", "198.18.0.1", "203.0.113.9",
    "224.0.0.1", "240.0.0.1", "0.0.0.1",
]  # fmt: skip


class Received(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.data: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.data.put_nowait(data)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with a_relay(tmp_path_factory.mktemp("coturn"), SECRET, WORKER) as port:
        yield port


def good(name: str = "ses_1", seconds: int = 600) -> tuple[str, str]:
    return credentials(SECRET, name, int(time.time()) + seconds)


async def relay(port: int, who: tuple[str, str], transport: str = "udp") -> turn.TurnTransport:
    made, _ = await turn.create_turn_endpoint(Received, (WORKER, port), *who, transport=transport)
    return made


async def gone(made: turn.TurnTransport) -> None:
    made.close()
    await made._TurnTransport__close_task
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_sessions_credentials_open_a_relay_to_the_worker(port: int, transport: str) -> None:
    loop = asyncio.get_running_loop()
    worker, heard = await loop.create_datagram_endpoint(Received, local_addr=(WORKER, 0))
    made = await relay(port, good(), transport)
    inner = made._TurnTransport__inner_protocol
    await inner.send_data(b"hello", worker.get_extra_info("sockname"))
    assert await asyncio.wait_for(heard.data.get(), 5) == b"hello"
    await gone(made)
    worker.close()
    await asyncio.sleep(0)


async def test_a_relay_that_was_opened_outlives_its_credentials(port: int) -> None:
    who = good("long", seconds=2)
    made = await relay(port, who)
    while int(who[0].split(":")[0]) + 1 > time.time():
        await asyncio.sleep(0.1)
    with pytest.raises(stun.TransactionFailed):
        await relay(port, who)
    refresh = stun.Message(message_method=stun.Method.REFRESH, message_class=stun.Class.REQUEST)
    refresh.attributes["LIFETIME"] = 600
    answer, _ = await made._TurnTransport__inner_protocol.request_with_retry(refresh)
    assert answer.attributes["LIFETIME"] == 600
    await gone(made)


WRONG = {
    "expired": lambda: good(seconds=-5),
    "another secret": lambda: credentials("x" * 64, "ses_1", int(time.time()) + 600),
    "another session's password": lambda: (good("ses_1")[0], good("ses_2")[1]),
    "a later expiry written in": lambda: (f"{int(time.time()) + 9000}:ses_1", good()[1]),
    "no expiry": lambda: ("ses_1", good()[1]),
    "nothing": lambda: ("", ""),
}


@pytest.mark.parametrize("case", WRONG)
async def test_other_credentials_open_none(port: int, case: str) -> None:
    with pytest.raises(stun.TransactionFailed) as refused:
        await relay(port, WRONG[case]())
    assert refused.value.response.error_code in {400, 401}


@pytest.mark.parametrize("peer", DENIED)
async def test_a_relay_leads_into_no_private_network(port: int, peer: str) -> None:
    made = await relay(port, good(peer))
    with pytest.raises(stun.TransactionFailed) as refused:
        await made._TurnTransport__inner_protocol.channel_bind(0x4000, (peer, 80))
    assert refused.value.response.error_code == 403
    await gone(made)


async def test_a_relay_carries_no_tcp(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "UDP_TRANSPORT", turn.TCP_TRANSPORT)  # what is asked for is TCP (RFC 6062)
    with pytest.raises(stun.TransactionFailed) as refused:
        await relay(port, good("tcp"), "tcp")
    assert refused.value.response.error_code in {403, 442}


async def test_one_visitor_opens_a_few_relays(port: int) -> None:
    who = good("quota")
    made = [await relay(port, who) for _ in range(4)]
    with pytest.raises(stun.TransactionFailed) as refused:
        await relay(port, who)
    assert refused.value.response.error_code == 486
    for one in made:
        await gone(one)


def test_every_network_that_is_not_public_is_denied() -> None:
    ranges = [
        tuple(map(ipaddress.ip_address, line.split("-")))
        for line in re.findall(r"^denied-peer-ip=(.+)$", CONF.read_text(), re.MULTILINE)
    ]

    def denied(text: str) -> bool:
        address = ipaddress.ip_address(text)
        return any(low.version == address.version and low <= address <= high for low, high in ranges)

    special = [*DENIED, "255.255.255.255", "::1", "::", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
               "64:ff9b::a00:1", "2001:db8::1", "2002:a00:1::1", "2001::1", "100::1", "fec0::1"]  # fmt: skip
    assert [text for text in special if not denied(text)] == []
    assert [text for text in ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::8") if denied(text)] == []
