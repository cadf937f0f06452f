"""When a message that did not get through is sent again: pure functions."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

DELAYS_S: Final = (5, 300, 1800, 7200, 18000, 36000, 36000)
"""After the first failure, the second, … (Standard Webhooks, "Retry schedule"). After one more it is given up."""
JITTER: Final = 0.1
"""So much later at most: receivers that come back are not met by all at once."""
MOST_S: Final = 24 * 3600
"""A receiver may ask for no more patience than this."""


def next_attempt(attempts: int, now: datetime, retry_after: str = "") -> datetime | None:
    """`attempts`: so many have failed, from 1. `retry_after`: the answer's header (RFC 9110, section 10.2.3), which
    can put the next one off, not bring it forward. None: it is given up."""
    if attempts > len(DELAYS_S):
        return None
    delay_s = DELAYS_S[attempts - 1] * (1 + random.uniform(0, JITTER))
    return now + timedelta(seconds=max(delay_s, asked_for_s(retry_after, now)))


def asked_for_s(retry_after: str, now: datetime) -> float:
    """Seconds or a date; 0 for what is neither, MOST_S at most."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MOST_S))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MOST_S)
