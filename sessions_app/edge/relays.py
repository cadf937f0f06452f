"""What a visitor's browser may look for a path with: STUN and TURN servers, with credentials of this session's own.

The credentials are those of "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00), which coturn
knows as `use-auth-secret`: the relay computes the same password from the secret it shares with us, and asks nobody.
"""

import base64
import hashlib
import hmac
import time
from typing import Any

from django.conf import settings


def ice_servers(session_id: str) -> list[dict[str, Any]]:
    """In the browser's form (RTCIceServer). Fresh credentials, good for GOASSIST_TURN_LIFETIME_S seconds."""
    env = settings.GOASSIST
    if not env.goassist_turn_urls:
        return list(env.goassist_ice_servers)
    until = int(time.time()) + env.goassist_turn_lifetime_s
    username, password = credentials(env.goassist_turn_secret.get_secret_value(), session_id, until)
    relay = {"urls": env.goassist_turn_urls, "username": username, "credential": password}
    return [*env.goassist_ice_servers, relay]


def link_header(session_id: str) -> str:
    """The same as the value of a `Link` header (RFC 9725, section 4.6); empty where there are no such servers."""
    return ", ".join(link for server in ice_servers(session_id) for link in _links(server))


def _links(server: dict[str, Any]) -> list[str]:
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    how = ""
    if "username" in server:
        user, secret = _quoted(server["username"]), _quoted(server.get("credential", ""))
        how = f'; username={user}; credential={secret}; credential-type="password"'
    return [f'<{url}>; rel="ice-server"{how}' for url in urls]


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110, section 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def credentials(secret: str, session_id: str, until: int) -> tuple[str, str]:
    """User name and password. `until`: Unix time in seconds at which they open no relay any more."""
    username = f"{until}:{session_id}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()
