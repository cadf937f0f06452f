"""What is kept encrypted: a key for each purpose, derived from the installation's secret key.

A database that is copied tells none of it. Whoever changes GOASSIST_SECRET_KEY can no longer open what is there.
"""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def box(purpose: str) -> Fernet:
    """Its `decrypt` raises cryptography.fernet.InvalidToken for what it did not seal."""
    digest = hashlib.sha256(f"goassist.{purpose}:".encode() + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
