"""Session tokens: what a browser holds instead of a key. Signed, short-lived, good for one session and one purpose.

Form: three base64url or base62 parts joined by dots, all of them legal in a websocket subprotocol (RFC 6455, section
4.1: an HTTP token), which is how browsers hand them over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

Scope = Literal["visitor", "subscriber"]
"""visitor: speaks, types and ends the session. subscriber: sees the face, nothing else."""

_signer = TimestampSigner(salt="goassist.session-token", sep=".")


@dataclass(frozen=True, slots=True)
class SessionToken:
    session_id: str
    tenant_id: str
    scope: Scope


def issue(token: SessionToken) -> tuple[str, datetime]:
    """The signed text and when it expires."""
    text = _signer.sign_object({"s": token.session_id, "t": token.tenant_id, "for": token.scope})
    return text, datetime.now(UTC) + _lifetime()


def read(text: str) -> SessionToken | None:
    """None for a token that is forged, expired, or none at all."""
    try:
        data = _signer.unsign_object(text, max_age=_lifetime())
        token = SessionToken(str(data["s"]), str(data["t"]), data["for"])
    except (BadSignature, ValueError, KeyError, TypeError):
        return None
    return token if token.scope in get_args(Scope) else None


def _lifetime() -> timedelta:
    return timedelta(minutes=settings.GOASSIST.goassist_token_minutes)
