"""Whose address is counted: what anybody can write into a header changes nothing."""

from ipaddress import ip_address
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions_app.tenants.addresses import UNKNOWN, counted_address, socket_address, visitor_address

PEER, PROXY, VISITOR, LIE = "198.51.100.7", "203.0.113.5", "192.0.2.1", "192.0.2.66"


@pytest.fixture
def proxies(settings: Any) -> Any:
    def trusted(number: int) -> None:
        settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_trusted_proxies": number})

    return trusted


def request_of(peer: str, *forwarded: str) -> Any:
    """A request as Daphne hands it on: a header that comes twice is one list."""
    more = {"HTTP_X_FORWARDED_FOR": ",".join(forwarded)} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=peer, **more)


def scope_of(peer: str, *forwarded: str) -> dict[str, Any]:
    return {"client": (peer, 50_000), "headers": [(b"X-Forwarded-For", line.encode("latin1")) for line in forwarded]}


CASES = [
    # Trusted proxies, the header's lines, whose address it is.
    (0, [], PEER),
    (0, [LIE], PEER),
    (0, [LIE, LIE], PEER),
    (1, [], PEER),
    (1, [VISITOR], VISITOR),
    (1, [f"{LIE}, {VISITOR}"], VISITOR),
    (1, [LIE, VISITOR], VISITOR),
    (1, [f"{LIE}, , ,{VISITOR} "], VISITOR),
    (1, [", ".join([LIE] * 500 + [VISITOR])], VISITOR),
    (2, [f"{VISITOR}, {PROXY}"], VISITOR),
    (2, [f"{LIE}, {VISITOR}, {PROXY}"], VISITOR),
    (2, [f"{LIE}, {VISITOR}", PROXY], VISITOR),
    # It did not come through both of them.
    (2, [VISITOR], PEER),
    # With a port, as some proxies write it.
    (1, [f"{VISITOR}:50000"], VISITOR),
    (1, ["[2001:db8:1:2:3:4:5:6]:50000"], "2001:db8:1:2::"),
    (1, ["[2001:db8:1:2::9]"], "2001:db8:1:2::"),
    (1, ["2001:db8:1:2::9"], "2001:db8:1:2::"),
    (1, ["::ffff:192.0.2.1"], VISITOR),
    (1, ["fe80::1%eth0"], "fe80::"),
    # What is no address is nobody's own.
    (1, ["for=192.0.2.1"], UNKNOWN),
    (1, [f"{VISITOR}:port"], UNKNOWN),
    (1, ["' OR 1=1 --"], UNKNOWN),
    (1, ["\u00ff\u00fe"], UNKNOWN),
    (1, ["192.0.2.1.5"], UNKNOWN),
]


@pytest.mark.parametrize(("number", "lines", "address"), CASES)
def test_the_address_is_the_one_that_our_own_proxies_saw(
    proxies: Any, number: int, lines: list[str], address: str
) -> None:
    proxies(number)
    assert visitor_address(request_of(PEER, *lines)) == address
    assert socket_address(scope_of(PEER, *lines)) == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [("::ffff:192.0.2.1", VISITOR), ("2001:db8:1:2::9", "2001:db8:1:2::"), ("", UNKNOWN), ("/run/web.sock", UNKNOWN)],
)
def test_without_proxies_it_is_the_other_end_of_the_connection(peer: str, address: str) -> None:
    assert visitor_address(request_of(peer)) == address
    assert socket_address(scope_of(peer)) == address


def test_a_socket_without_a_peer_is_somebody_unknown() -> None:
    assert socket_address({"client": None, "headers": []}) == UNKNOWN


@given(written=st.text(max_size=80), number=st.integers(0, 5))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_the_last_hop_is_believed_and_nothing_else(proxies: Any, written: str, number: int) -> None:
    """A visitor writes anything; each proxy of ours appends whom it saw."""
    proxies(number)
    seen = [VISITOR, *[PROXY] * 4][:number]
    address = counted_address(PEER, ", ".join([written, *seen]))
    assert address == (VISITOR if number else PEER)


@given(peer=st.text(max_size=50), written=st.text(max_size=50))
def test_whatever_comes_the_answer_is_an_address_or_unknown(peer: str, written: str) -> None:
    address = counted_address(peer, written)
    assert address == UNKNOWN or ip_address(address)
