"""Addresses that tenants write: none leads to this machine or the networks behind it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app import outgoing
from sessions_app.outgoing import OutgoingFailed, OutgoingRefused, checked, reachable, send

LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "0x7f.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "[::1]", "[0:0:0:0:0:0:0:1]", "0",
    "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "127。0。0。1", "①②⑦.⓪.⓪.①",
]  # fmt: skip
INSIDE = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254", "3232235777",
    "0xa000001", "012.0.0.1", "[::ffff:10.0.0.1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.170.2", "100.100.100.200",
    "192.0.0.192", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "168.63.129.16.",
]  # fmt: skip
NOWHERE = [
    "100.64.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]", "[3fff::1]",
]  # fmt: skip
TRICKS = [
    "http://public.example@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@public.example/",
    "http://127.0.0.1:{port}\\@public.example/", "http://user:word@public.example:{port}/", "http://:{port}/",
    "//127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_GET", "ftp://127.0.0.1:{port}/", "dict://127.0.0.1:{port}/",
    "unix:///run/postgresql", "http+unix://%2Frun/x", "http://[::1%25lo]:{port}/", "http://127.0.0.1%09:{port}/",
    "http://127.0.0.1%00.public.example:{port}/", "http://[", "http://", "", "javascript:alert(1)",
]  # fmt: skip
HOSTS = [*LOOPBACK, *INSIDE, *METADATA, *NOWHERE]
PUBLIC_BUT_NOT_OURS = "168.63.129.16."
"""A cloud's own service on a public address; without its dot a firewall's business. With one it is a name."""


class Listener:
    """Answers as `reply` says and counts who came, on every address of this machine."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port, self.came = self.socket.getsockname()[1], 0
        self.requests: list[bytes] = []
        self.reply: Callable[[socket.socket], None] = lambda peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        )
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="listener")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                if self.over.is_set():
                    return
                self.came += 1
                self.requests.append(_request(peer))
                try:
                    self.reply(peer)
                except OSError:
                    continue

    def close(self) -> None:
        self.over.set()
        with closing(socket.create_connection(("127.0.0.1", self.port))):
            self._thread.join(5)
        self.socket.close()


def _request(peer: socket.socket) -> bytes:
    """Head and body; these come in pieces."""
    got = peer.recv(65536)
    while b"Content-Length: 8" in got and not got.endswith(b"}"):
        got += peer.recv(65536)
    return got


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.close()


@pytest.fixture
def let_in(settings: object) -> None:
    settings.GOASSIST = settings.GOASSIST.model_copy(update={"goassist_outgoing_networks": ["127.0.0.0/8", "::1/128"]})


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Says what a name resolves to, one answer after the other; returns the names asked for."""

    def names(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(outgoing, "resolve", resolve)
        return asked

    return names


def test_there_are_enough_addresses_to_mean_something():
    assert len({*HOSTS, *TRICKS}) >= 85


def test_no_address_inside_is_connected_to(listener):
    refused = 0
    for url in [*(f"http://{host}:{{port}}/" for host in HOSTS), *TRICKS]:
        with pytest.raises((OutgoingRefused, OutgoingFailed)):
            send("GET", url.replace("{port}", str(listener.port)), timeout_s=0.5)
        refused += 1
    assert (listener.came, refused) == (0, len(HOSTS) + len(TRICKS))


@pytest.mark.parametrize("address", ["10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"])
def test_a_public_name_may_not_lead_inside(named, address, listener):
    named([address])
    with pytest.raises(OutgoingRefused, match="public\\.example is not a public address"):
        send("POST", f"http://public.example:{listener.port}/")
    assert listener.came == 0


def test_half_a_trap_is_one(named):
    named(["93.184.215.14", "127.0.0.1"])
    with pytest.raises(OutgoingRefused):
        send("GET", "http://public.example:8080/")


def test_a_name_is_asked_once_and_the_answer_is_what_is_called(named, let_in, listener):
    """DNS rebinding: what it says the second time is never heard."""
    asked = named(["127.0.0.1"], ["169.254.169.254"])
    assert send("GET", f"http://rebinding.example:{listener.port}/").status == 200
    assert asked == ["rebinding.example"]


def test_a_redirect_is_an_answer_and_not_an_order(let_in, listener):
    listener.reply = lambda peer: peer.sendall(
        f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:{listener.port}/secret\r\nContent-Length: 0\r\n\r\n".encode()
    )
    answer = send("GET", f"http://127.0.0.1:{listener.port}/")
    assert (answer.status, listener.came) == (302, 1)
    assert answer.headers["location"].endswith("/secret")


def test_the_operator_may_let_networks_of_theirs_be_called(let_in, listener):
    answer = send("POST", f"http://localhost:{listener.port}/hook", headers={"X-Test": "1"}, content=b'{"a": 1}')
    assert (answer.status, answer.body) == (200, b"ok")
    (request,) = listener.requests
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    assert f"Host: localhost:{listener.port}\r\n".encode() in request
    assert request.endswith(b'\r\n\r\n{"a": 1}')


def test_an_allowed_network_opens_no_other(let_in):
    with pytest.raises(OutgoingRefused):
        send("GET", "http://10.0.0.1:8080/")


def test_the_proxy_of_the_environment_is_not_asked(let_in, listener, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert send("GET", f"http://127.0.0.1:{listener.port}/").status == 200


def test_a_long_answer_is_cut(let_in, listener):
    def pour(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not listener.over.is_set():
            peer.sendall(b"x" * 65536)

    listener.reply = pour
    answer = send("GET", f"http://127.0.0.1:{listener.port}/")
    assert len(answer.body) == outgoing.MAX_ANSWER_BYTES


def test_an_answer_in_drops_is_given_up(let_in, listener):
    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not listener.over.wait(0.02):
            peer.sendall(b"x")

    listener.reply = drip
    with pytest.raises(OutgoingFailed, match="no answer in time"):
        send("GET", f"http://127.0.0.1:{listener.port}/", timeout_s=0.3)


def test_headers_in_drops_are_given_up(let_in, listener):
    """Each byte in good time, and no end."""

    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not listener.over.wait(0.02):
            peer.sendall(b"x")

    listener.reply = drip
    with pytest.raises(OutgoingFailed, match="no answer in time"):
        send("GET", f"http://127.0.0.1:{listener.port}/", timeout_s=0.3)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 2"])
def test_what_is_no_http_is_said_in_words(let_in, listener, said):
    listener.reply = lambda peer: peer.sendall(said)
    with pytest.raises(OutgoingFailed):
        send("GET", f"http://127.0.0.1:{listener.port}/", timeout_s=2)


def test_nobody_there_is_said_in_words(let_in, listener):
    with closing(socket.create_server(("127.0.0.1", 0))) as empty:
        port = empty.getsockname()[1]
    with pytest.raises(OutgoingFailed, match="no connection"):
        send("GET", f"http://127.0.0.1:{port}/", timeout_s=1)


@pytest.mark.parametrize("port", [22, 25, 110, 445, 993])
def test_ports_of_other_services_are_not_talked_into_things(port):
    with pytest.raises(OutgoingRefused, match=f"Port {port} cannot be called"):
        checked(f"https://public.example:{port}/")


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/x?y=1", "http://example.com:8080/", "https://[2606:4700::1]/"]
)
def test_public_addresses_pass(url):
    assert str(checked(url)) == url


@given(st.ip_addresses(v=4).filter(lambda address: not reachable(address)))
def test_an_address_inside_another_one_is_as_private(address):
    number = int(address)
    for carrier in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number):
        assert not reachable(ip_address(carrier.to_bytes(16, "big")))


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text):
    for url in (text, f"http://{text}", f"https://{text}/x"):
        try:
            checked(url)
        except OutgoingRefused as error:
            assert str(error)
