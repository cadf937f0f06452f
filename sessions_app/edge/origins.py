"""Which web pages may call: the installation's own, and those that a tenant's keys list."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

DEFAULT_PORTS = {"http": 80, "https": 443}


def normal(origin: str) -> str | None:
    """`scheme://host:port` in lower case with the port always written; None when it is not a web origin."""
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or parts.username:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}"


def own(origin: str, host: str) -> bool:
    """True for a page of this installation: one of the configured origins, or the host that was asked (`Host` header).

    The host counts only when ALLOWED_HOSTS knows it, so that a rebound name is no friend.
    """
    wanted = normal(origin)
    if wanted is None:
        return False
    if wanted in {normal(o) for o in settings.GOASSIST.origins}:
        return True
    name = urlsplit(wanted).hostname or ""
    known = validate_host(f"[{name}]" if ":" in name else name, settings.ALLOWED_HOSTS)
    return known and wanted in {normal(f"{scheme}://{host}") for scheme in DEFAULT_PORTS}


def allowed(origin: str, host: str, listed: Iterable[str]) -> bool:
    wanted = normal(origin)
    return wanted is not None and (own(origin, host) or wanted in {normal(o) for o in listed})
