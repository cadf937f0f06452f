"""Embed tokens: what a page of a tenant's own web site opens sessions with. Signed, good for minutes, for one assistant
and for pages of one origin; the page got it for its publishable key, and it falls with that key.

Their own salt: a session's token is none of these, nor these a session's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.core.signing import BadSignature, TimestampSigner

PREFIX: Final = "emb_"
LIFETIME: Final = timedelta(minutes=10)

_signer = TimestampSigner(salt="goassist.embed-token", sep=".")


@dataclass(frozen=True, slots=True)
class EmbedToken:
    tenant_id: str
    key: str
    """The publishable key."""
    assistant_id: str
    origin: str
    version_id: str = ""
    """The one version that may answer, for people who try a draft; empty: the live one."""


def issue(token: EmbedToken) -> tuple[str, datetime]:
    """The signed text and when it expires."""
    data = {"t": token.tenant_id, "k": token.key, "a": token.assistant_id, "o": token.origin, "v": token.version_id}
    return PREFIX + _signer.sign_object(data), datetime.now(UTC) + LIFETIME


def read(text: str) -> EmbedToken | None:
    """None for a token that is forged, expired, or none at all."""
    if not text.startswith(PREFIX):
        return None
    try:
        data = _signer.unsign_object(text.removeprefix(PREFIX), max_age=LIFETIME)
        return EmbedToken(str(data["t"]), str(data["k"]), str(data["a"]), str(data["o"]), str(data["v"]))
    except (BadSignature, ValueError, KeyError, TypeError):
        return None
