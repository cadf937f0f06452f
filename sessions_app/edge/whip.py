"""What the WebRTC-HTTP ingestion protocol (WHIP, RFC 9725) says of media types, addresses and headers.

One connection (leg) of a session is one WHIP session, and one ICE session: its entity tag is made of nothing else.
"""

import re
from typing import Final

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"

_ENDPOINT: Final = re.compile(r"/api/v1/(whip/[^/]+|sessions/[^/]+/whip)")
_CONNECTION: Final = re.compile(r"/api/v1/sessions/[^/]+/whip/[^/]+")


def location(session_id: str, leg: int) -> str:
    """The address of a connection."""
    return f"/api/v1/sessions/{session_id}/whip/{leg}"


def entity_tag(session_id: str, leg: int) -> str:
    return f'"{session_id}.{leg}"'


def is_meant(if_match: str, tag: str) -> bool:
    """Whether `If-Match` (RFC 9110, section 13.1.1) means the connection with this tag."""
    return if_match.strip() == "*" or tag in [each.strip() for each in if_match.split(",")]


def taken_at(path: str) -> dict[str, str]:
    """The headers that tell what an address of WHIP takes: `Accept-Post` (RFC 9725), `Accept-Patch` (RFC 5789, section
    3.1). None for any other address."""
    if _ENDPOINT.fullmatch(path):
        return {"Allow": "OPTIONS, POST", "Accept-Post": SDP}
    if _CONNECTION.fullmatch(path):
        return {"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": FRAGMENT}
    return {}
