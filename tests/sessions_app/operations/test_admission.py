"""Rate limits and the length of a session."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisAway

from sessions_app.operations import admission
from sessions_app.operations.admission import Limit, SessionOver, TooMany, ensure_going, take

NOON = 1_800_000_000.0
"""A whole minute."""


@pytest.fixture
def counts() -> LocMemCache:
    fresh = LocMemCache("test-admission", {})
    fresh.clear()
    return fresh


def test_as_many_as_allowed_are_admitted_and_one_more_is_not(counts: LocMemCache) -> None:
    assert [take(counts, "k", 5, NOON) for _ in range(5)] == [0] * 5
    assert take(counts, "k", 5, NOON) > 0


def test_a_new_minute_does_not_open_the_gates_twice(counts: LocMemCache) -> None:
    for _ in range(5):
        take(counts, "k", 5, NOON + 59)
    assert take(counts, "k", 5, NOON + 61) > 0


def test_subjects_do_not_share_a_count(counts: LocMemCache) -> None:
    for _ in range(5):
        take(counts, "a", 5, NOON)
    assert take(counts, "b", 5, NOON) == 0


@given(gaps_s=st.lists(st.floats(0, 90), max_size=40), limit=st.integers(1, 6))
def test_whoever_waits_as_told_is_admitted(gaps_s: list[float], limit: int) -> None:
    counts = LocMemCache(f"waiting-{id(gaps_s)}", {})
    now, admitted = NOON, []
    for gap_s in gaps_s:
        now += gap_s
        wait_s = take(counts, "k", limit, now)
        if wait_s:
            assert 1 <= wait_s <= 120
            assert take(counts, "k", limit, now + wait_s) == 0
            now += wait_s
        admitted.append(now)
    # Two counted windows stand for the sliding one: never more than twice the limit in any 60 s, even at their seam.
    for start in admitted:
        assert sum(start <= at < start + 60 for at in admitted) <= 2 * limit
    counts.clear()


class Away(LocMemCache):
    def add(self, *args: Any, **options: Any) -> bool:
        raise RedisAway


async def test_a_cache_that_is_away_leaves_the_doors_open_but_counts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "cache", Away("away", {}))
    monkeypatch.setattr(admission, "_own_count", LocMemCache("own-count-test", {}))
    limit = Limit("things", 2)
    await limit.admit("visitor")
    await limit.admit("visitor")
    with pytest.raises(TooMany, match="No more than 2 things a minute"):
        await limit.admit("visitor")
    admission._own_count.clear()


def test_a_session_goes_on_until_its_end_or_its_hour() -> None:
    now = timezone.now()
    ensure_going(state="live", end_reason="", created_at=now)
    with pytest.raises(SessionOver, match="hangup"):
        ensure_going(state="ended", end_reason="hangup", created_at=now)
    with pytest.raises(SessionOver, match="limit"):
        ensure_going(state="live", end_reason="", created_at=now - timedelta(hours=1))
