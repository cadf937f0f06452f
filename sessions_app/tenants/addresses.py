"""Where a request came from."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

UNKNOWN: Final = "unknown"
WITH_PORT: Final = re.compile(r"\[(?P<six>[^\[\]]+)\](:\d{1,5})?|(?P<four>[\d.]+):\d{1,5}")
"""As some proxies write an address (RFC 7239, section 6): `[2001:db8::1]:443`, `192.0.2.1:443`."""


def visitor_address(request: HttpRequest) -> str:
    """Whom to count: the visitor's address; of IPv6 the /64, which one household has to itself.

    `X-Forwarded-For` counts only as far back as proxies of our own wrote it (GOASSIST_TRUSTED_PROXIES); anybody can
    write the rest.
    """
    return counted_address(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def socket_address(scope: Mapping[str, Any]) -> str:
    """The same for a websocket's ASGI scope. A header that came twice is one list (RFC 9110, section 5.3)."""
    told = [value.decode("latin1") for name, value in scope.get("headers", ()) if name.lower() == b"x-forwarded-for"]
    return counted_address((scope.get("client") or ("",))[0], ",".join(told))


def public_origin(request: HttpRequest) -> str:
    """`https://voice.example.com`: of the installation's configured origins the one that was asked, else the first.

    For addresses that leave the house: the `Host` header is the asker's to write.
    """
    origins: list[str] = settings.GOASSIST.origins
    asked = request.get_host().lower()
    return next((origin for origin in origins if origin.lower().partition("://")[2] == asked), origins[0])


def counted_address(peer: str, forwarded_for: str) -> str:
    """`peer`: the other end of the connection. What is no address is `unknown`, which all such visitors share."""
    address = peer
    proxies = settings.GOASSIST.goassist_trusted_proxies
    if proxies:
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        # With fewer hops than proxies it did not come through all of them: the peer is all that is known for sure.
        address = hops[-proxies] if len(hops) >= proxies else peer
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), 64), strict=False).network_address)
    return str(parsed or UNKNOWN)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """IPv4 in IPv6's clothes (`::ffff:192.0.2.1`, as a socket for both has it) is IPv4."""
    if found := WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"]
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
