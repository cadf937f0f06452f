"""Content security policies: strict for visitors, relaxed for the console only."""

from typing import Any

NONE, SELF = "'none'", "'self'"


def csp_policy(origins: list[str]) -> dict[str, Any]:
    """No inline script, nothing from elsewhere. Older browsers do not count websockets as 'self', so they are named."""
    sockets = [origin.replace("http", "ws", 1) for origin in origins]
    return {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:", "data:", "mediastream:"],
        "connect-src": [SELF, *sockets],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
