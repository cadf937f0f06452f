"""Where a request came from."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def visitor_address(request: HttpRequest) -> str:
    """Whom to count: the visitor's address; of IPv6 the /64, which one household has to itself.

    `X-Forwarded-For` counts only as far back as proxies of our own wrote it (GOASSIST_TRUSTED_PROXIES); anybody can
    write the rest.
    """
    address = request.META.get("REMOTE_ADDR", "") or "unknown"
    proxies = settings.GOASSIST.goassist_trusted_proxies
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        address = hops[-proxies] if len(hops) >= proxies else address
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)
