"""What keys look like. 256 random bits each; a plain SHA-256 of a secret is enough, there is nothing to guess."""

import hashlib
import secrets

PUBLISHABLE = "pk_"
SECRET = "sk_"  # noqa: S105 (a prefix, not a secret)
SHOWN_CHARS = 10


def new_key(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_key(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
