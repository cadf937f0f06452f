"""Who is let in, and how often: rate limits (product contract, section 9) and the length of a session."""

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from pipeline.contracts.numbers import SESSION_LIMIT_S
from sessions_app.operations.windows import windows


class TooMany(Exception):
    """The limit is reached; after `retry_after_s` whole seconds there is room again."""

    def __init__(self, what: str, per_minute: int, retry_after_s: int) -> None:
        super().__init__(f"No more than {per_minute} {what} a minute. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class SessionOver(Exception):
    """The session has ended; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This session is over ({reason}). Create a new one.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of something per minute and subject (a session; a key at a visitor's address)."""

    what: str
    per_minute: int

    async def admit(self, tenant_id: UUID | str, *subjects: str) -> None:
        """Counts one more for each of the tenant's subjects, or for none. Raises TooMany when one has no room."""
        wait_us = await windows.take([self._key(str(tenant_id), subject) for subject in subjects], self.per_minute)
        if wait_us:
            raise TooMany(self.what, self.per_minute, math.ceil(wait_us / 1_000_000))

    def _key(self, tenant_id: str, subject: str) -> str:
        """No address can be read in Redis. The braces keep a tenant's keys in one slot of a cluster."""
        return f"goassist:limit:{{{tenant_id}}}:{self.what.replace(' ', '-')}:{_digest(subject)}"


def _digest(subject: str) -> str:
    return hashlib.blake2b(subject.encode(), key=_digest_key(settings.SECRET_KEY), digest_size=16).hexdigest()


@cache
def _digest_key(secret: str) -> bytes:
    return hashlib.sha256(b"admission" + secret.encode()).digest()


def ensure_going(*, state: str, end_reason: str, created_at: datetime) -> None:
    """Raises SessionOver for a session that was ended or is older than the contract lets it be."""
    if state == "ended":
        raise SessionOver(end_reason or "ended")
    if time.time() - created_at.timestamp() >= SESSION_LIMIT_S:
        raise SessionOver("limit")
