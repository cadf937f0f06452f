"""Who is let in, and how often: rate limits (product contract, section 9) and the length of a session.

Limits are counted in Django's cache, so that all web processes count together. A cache that is away must not close
the doors: this process then counts for itself.
"""

import math
import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError

from pipeline.contracts.numbers import SESSION_LIMIT_S

log = structlog.get_logger(__name__)

WINDOW_S = 60


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
    """So many of something per minute and subject (a visitor's address, a session)."""

    what: str
    per_minute: int

    async def admit(self, subject: str) -> None:
        """Counts one more. Raises TooMany."""
        wait_s = await sync_to_async(self._wait_s)(subject, time.time())
        if wait_s:
            raise TooMany(self.what, self.per_minute, wait_s)

    def _wait_s(self, subject: str, now: float) -> int:
        key = f"admission:{self.what.replace(' ', '-')}:{subject}"
        try:
            return take(cache, key, self.per_minute, now)
        except (RedisError, OSError) as error:
            log.warning("admission_cache_away", error=type(error).__name__)
            return take(_own_count, key, self.per_minute, now)


_own_count = LocMemCache("admission", {"MAX_ENTRIES": 20_000})


def take(counts: BaseCache, key: str, limit: int, now: float) -> int:
    """Counts one event; returns 0, or the whole seconds to wait when it is one too many (then it is not counted).

    Sliding window from two fixed ones: the minute before weighs as much as of it still lies within the last 60 s.
    """
    window, elapsed_s = divmod(now, WINDOW_S)
    current = f"{key}:{int(window)}"
    counts.add(current, 0, timeout=2 * WINDOW_S)
    count = counts.incr(current)
    before = counts.get(f"{key}:{int(window) - 1}", 0)
    if before * (1 - elapsed_s / WINDOW_S) + count <= limit:
        return 0
    admitted = counts.decr(current)
    return max(1, math.ceil(_room_at(before, admitted, limit) - elapsed_s))


def _room_at(before: int, admitted: int, limit: int) -> float:
    """Seconds from the start of the current window at which one more would be admitted."""
    if admitted < limit:
        return WINDOW_S * (1 - (limit - admitted - 1) / before)
    return WINDOW_S + WINDOW_S * (1 - (limit - 1) / admitted)


def ensure_going(*, state: str, end_reason: str, created_at: datetime) -> None:
    """Raises SessionOver for a session that was ended or is older than the contract lets it be."""
    if state == "ended":
        raise SessionOver(end_reason or "ended")
    if time.time() - created_at.timestamp() >= SESSION_LIMIT_S:
        raise SessionOver("limit")
