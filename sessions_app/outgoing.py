"""The only room that sends HTTP to addresses that tenants write: never to this machine or the networks behind it.

A name is resolved once, when the connection is made, every address that came back is judged, and the connection goes to
one of those very addresses: a name that changes its mind in between (DNS rebinding) gains nothing. Redirects are not
followed, proxies of the environment not asked, answers cut at a size. `GOASSIST_OUTGOING_NETWORKS` names networks of
the operator's own that may be reached after all.
"""

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx
from django.conf import settings

MAX_ANSWER_BYTES: Final = 64 * 1024
TIMEOUT_S: Final = 10.0
"""For the whole request, connecting and reading included."""
PORTS: Final = frozenset({80, 443, *range(1024, 65536)})
"""Below 1024 live mail, shells and the like, which may be talked into things by HTTP."""
FAR: Final = 1e9
"""No limit, in seconds that sockets can still count."""
PUBLIC_V6: Final = ip_network("2000::/3")
"""All that is handed out (IANA IPv6 Global Unicast Address Assignments)."""
SPECIAL: Final = tuple(
    map(
        ip_network,
        # Special-purpose registries of IANA (RFC 6890): what Python calls global and no webhook lives in.
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)

FAILURES: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
WORDS: Final[dict[type[Exception], str]] = {
    httpcore.ConnectError: "no connection",
    httpcore.ConnectTimeout: "no connection in time",
    httpcore.ReadTimeout: "no answer in time",
    httpcore.WriteTimeout: "took the request too slowly",
    httpcore.ReadError: "cut the connection",
    httpcore.WriteError: "cut the connection",
    httpcore.RemoteProtocolError: "answered no HTTP, or cut the connection",
}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], list[str]]


class OutgoingRefused(ValueError):
    """The address is none that tenants may have called; says which and why."""


class OutgoingFailed(RuntimeError):
    """Nobody answered, not in time, or not in HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: as much as came within MAX_ANSWER_BYTES."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(
    method: str, url: str, *, headers: dict[str, str] | None = None, content: bytes = b"", timeout_s: float = TIMEOUT_S
) -> Answer:
    """Blocks. Raises OutgoingRefused, OutgoingFailed."""
    target, until_s = checked(url), time.monotonic() + timeout_s
    fields = [("Host", target.netloc.decode()), *(headers or {}).items()]
    try:
        with (
            httpcore.ConnectionPool(network_backend=Guarded(_allowed_networks(), until_s=until_s)) as pool,
            pool.stream(
                method,
                str(target),
                headers=fields,
                content=content,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)},
            ) as response,
        ):
            body = _read(response, until_s)
            told = {name.decode("latin1").lower(): value.decode("latin1") for name, value in response.headers}
            return Answer(response.status, told, body)
    except (*FAILURES, httpcore.UnsupportedProtocol) as e:
        raise OutgoingFailed(f"{target.host}: {WORDS.get(type(e), type(e).__name__)}") from e


def _read(response: Any, until_s: float) -> bytes:
    body = bytearray()
    for piece in response.iter_stream():
        body += piece
        if len(body) >= MAX_ANSWER_BYTES:
            break
        if time.monotonic() > until_s:
            raise httpcore.ReadTimeout
    return bytes(body[:MAX_ANSWER_BYTES])


def checked(url: str) -> httpx.URL:
    """What can be seen of an address without asking DNS. For forms, too. Raises OutgoingRefused."""
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise OutgoingRefused(f"{url[:100]!r} is not an address.") from error
    if target.scheme not in {"http", "https"} or not target.host:
        raise OutgoingRefused("Write an address that begins with https://.")
    if target.userinfo:
        raise OutgoingRefused("Leave user name and password out of the address.")
    if _port(target) not in PORTS:
        raise OutgoingRefused(f"Port {_port(target)} cannot be called.")
    literal = _literal(target.host)
    if literal is not None and not reachable(literal, _allowed_networks()):
        raise OutgoingRefused(f"{target.host} is not a public address.")
    return target


def _port(target: httpx.URL) -> int:
    return target.port or (443 if target.scheme == "https" else 80)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def reachable(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """A public unicast address, or one in `allowed`. What carries an IPv4 address inside is judged by that one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if any(address in network for network in SPECIAL if network.version == address.version):
        return False
    if isinstance(address, IPv6Address):
        return address in PUBLIC_V6 and address.scope_id is None
    return address.is_global and not address.is_multicast


def _allowed_networks() -> list[Network]:
    return [ip_network(text) for text in settings.GOASSIST.goassist_outgoing_networks]


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system knows it. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Hurried(httpcore.NetworkStream):
    """A connection that is over at a moment of time.monotonic(): a peer that sends a byte now and then, each in good
    time, would keep whoever reads its headers for ever."""

    def __init__(self, stream: httpcore.NetworkStream, until_s: float) -> None:
        self._stream, self._until_s = stream, until_s

    def _left(self, timeout: float | None, late: type[Exception]) -> float:
        left = min(self._until_s - time.monotonic(), FAR if timeout is None else timeout)
        if left <= 0:
            raise late
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: float | None = None) -> "Hurried":
        left = self._left(timeout, httpcore.ConnectTimeout)
        return Hurried(self._stream.start_tls(ssl_context, server_hostname, left), self._until_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


class Guarded(httpcore.SyncBackend):
    """Connects to judged addresses only. TLS still asks for the name: it is the pool that knows it."""

    def __init__(self, allowed: Iterable[Network] = (), names: Resolve | None = None, until_s: float = FAR) -> None:
        self._allowed, self._resolve, self._until_s = list(allowed), names or resolve, until_s

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any) -> Any:
        """Raises OutgoingRefused when any of the name's addresses is not public: half a trap is one."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        for text in addresses:
            if not reachable(ip_address(text), self._allowed):
                raise OutgoingRefused(f"{host} is not a public address ({text}).")
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for text in addresses:
            left_s = min(self._until_s - time.monotonic(), FAR if timeout is None else timeout)
            if left_s <= 0:
                raise httpcore.ConnectTimeout
            try:
                stream = super().connect_tcp(text, port, left_s, *args, **options)
                return Hurried(stream, self._until_s)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def connect_unix_socket(self, *args: Any, **options: Any) -> Any:
        raise OutgoingRefused("Sockets of this machine cannot be called.")
