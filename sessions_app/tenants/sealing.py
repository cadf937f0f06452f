"""What is kept encrypted: a key for each purpose, derived from the installation's secret key.

A database that is copied tells none of it. Whoever changes GOASSIST_SECRET_KEY can no longer open what is there.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Lost(ValueError):
    """It was sealed under another GOASSIST_SECRET_KEY, or is no seal of ours."""


def sealed(purpose: str, text: str) -> str:
    return box(purpose).encrypt(text.encode()).decode()


def opened(purpose: str, text: str) -> str:
    """Raises Lost."""
    try:
        return box(purpose).decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise Lost(f"What was sealed for {purpose} cannot be opened any more.") from error


def box(purpose: str) -> Fernet:
    """Its `decrypt` raises cryptography.fernet.InvalidToken for what it did not seal."""
    digest = hashlib.sha256(f"goassist.{purpose}:".encode() + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
