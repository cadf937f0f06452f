"""What keys look like. 256 random bits each; a plain SHA-256 of a secret is enough, there is nothing to guess."""

import hashlib
import re
import secrets

PUBLISHABLE = "pk_"
SECRET = "sk_"  # noqa: S105 (a prefix, not a secret)
OPERATOR = "op_"
SHOWN_CHARS = 10


def new_key(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_key(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""As browsers send it (RFC 6454, section 6.2); names of other alphabets in their xn-- form."""


def checked_origin(text: str) -> str:
    """Where a publishable key may be used. Raises ValueError in words."""
    origin = text.lower()
    if not ORIGIN.fullmatch(origin):
        raise ValueError(f"{text} is not an origin. Write scheme and host only: https://www.example.com")
    return origin
