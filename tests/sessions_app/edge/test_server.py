"""The web server in a process of its own, and clients that behave badly."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from goassist_site.security import servers_own
from sessions_app.edge.server import STALL_LIMIT_S, Reader

ROOT = Path(__file__).parents[3]


class Server:
    """Its process; `event()` is the next thing it tells."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sessions_app.edge.stalling_server", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "goassist_site.settings"},
        )
        self.port: int = self.event()["port"]

    def event(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    try:
        yield running
    finally:
        code = running.end()
    assert code == 0


@pytest.fixture(scope="module")
def impatient_server() -> Iterator[Server]:
    running = Server("0.3")
    try:
        yield running
    finally:
        running.end()


WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nab"],
)
@pytest.mark.parametrize("before", [b"", WHOLE])
def test_a_request_that_never_becomes_whole_is_cut(impatient_server: Server, begun: bytes, before: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient_server.port), timeout=10) as slow:
        if before:
            slow.sendall(before)
            assert slow.recv(1000).startswith(b"HTTP/1.1 200")
        slow.sendall(begun)
        # Reading to the end returns only because the server cuts the line.
        try:
            while slow.recv(1000):
                pass
        except ConnectionResetError:
            pass


def test_patience_with_requests_does_not_cut_websockets(impatient_server: Server) -> None:
    with connect(f"ws://127.0.0.1:{impatient_server.port}/flood") as client:
        for _ in range(600):
            assert len(client.recv(timeout=10)) == 4000


def test_a_reader_that_stalls_is_dropped_and_disturbs_nobody(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        key = base64.b64encode(os.urandom(16)).decode()
        stalled.sendall(
            f"GET /flood HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        # Nothing is ever read from `stalled`. Meanwhile another reader gets its frames.
        with connect(f"ws://127.0.0.1:{server.port}/flood") as quick:
            for _ in range(500):
                assert len(quick.recv(timeout=10)) == 4000
            told = server.event()
        assert told["skipped"] > 0
        assert told["sent"] * 4000 < 8_000_000


def test_a_close_frame_carries_its_reason(server: Server) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/close") as client:
        with pytest.raises(Exception, match="4410"):
            client.recv(timeout=10)
        assert (client.close_code, client.close_reason) == (4410, "The session is over.")


def test_a_message_that_is_too_large_closes_the_socket(server: Server) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/flood") as client:
        client.send("x" * 70_000)
        with pytest.raises(Exception, match="1009"):
            while True:
                client.recv(timeout=10)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(server: Server, chunked: bool) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body: Any = iter([b"x" * 100_000] * 12) if chunked else b"x" * 1_200_000
    try:
        client.request("POST", "/", body=body, encode_chunked=chunked)
        status = client.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        # It stopped reading while we were still sending, as it should.
        status = 413
    finally:
        client.close()
    assert status == 413


def test_a_body_of_decent_size_arrives_whole(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    client.request("POST", "/", body=b"x" * 900_000)
    assert client.getresponse().read() == b"900000"
    client.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n", 500),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", 413),
    ],
    ids=["application", "size"],
)
def test_its_own_answers_protect_visitors_too(server: Server, request_: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request_)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        answer.close()
    assert answer.status == status
    assert servers_own(0).items() <= dict(answer.headers.items()).items()
    assert answer.headers["Server"] is None


def test_over_https_they_say_so() -> None:
    assert servers_own(3600)["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 17_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(18)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(600)) + b"\r\n",
    ],
    ids=["address", "one header", "all headers", "number of headers"],
)
def test_a_head_that_is_too_large_is_not_answered_and_hurts_nobody(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head)
        answer = b""
        try:
            while chunk := client.recv(1000):
                answer += chunk
        except ConnectionResetError:
            pass
    assert b"200" not in answer[:20]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 15_000 + b"\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


class Clock:
    """Twisted's `callLater`, as far as `Reader` needs it."""

    def __init__(self) -> None:
        self.work: Any = None

    def __call__(self, delay_s: float, work: Any) -> "Clock":
        assert delay_s == STALL_LIMIT_S
        self.work = work
        return self

    def active(self) -> bool:
        return self.work is not None

    def cancel(self) -> None:
        self.work = None


def test_a_reader_that_catches_up_is_kept() -> None:
    clock, dropped = Clock(), []
    reader = Reader(lambda: dropped.append(True), clock)
    reader.pauseProducing()
    reader.pauseProducing()
    assert reader.behind
    reader.resumeProducing()
    assert not reader.behind
    assert not clock.active()
    reader.pauseProducing()
    clock.work()
    assert dropped == [True]
    reader.stopProducing()
    assert not clock.active()
