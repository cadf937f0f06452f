"""Rate limits in words, and the length of a session."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sessions_app.operations import admission
from sessions_app.operations.admission import Limit, SessionOver, TooMany, ensure_going
from sessions_app.operations.windows import MemoryWindows

ONE, OTHER = "0b7f6b52-0000-4000-8000-000000000001", "0b7f6b52-0000-4000-8000-000000000002"


class Noted(MemoryWindows):
    """Keeps the keys it was asked about."""

    async def take(self, keys: Any, limit: int) -> int:  # type: ignore[override]
        self.keys = list(keys)
        return super().take(keys, limit)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Noted]:
    fresh = Noted(clock=lambda: 1_000_000)
    monkeypatch.setattr(admission, "windows", fresh)
    yield fresh


async def test_one_too_many_is_told_how_many_and_when(noted: Noted) -> None:
    limit = Limit("things", 2)
    await limit.admit(ONE, "visitor")
    await limit.admit(ONE, "visitor")
    with pytest.raises(TooMany, match="No more than 2 things a minute. Try again in 60 s.") as refused:
        await limit.admit(ONE, "visitor")
    assert refused.value.retry_after_s == 60


async def test_tenants_limits_and_subjects_do_not_share_a_count(noted: Noted) -> None:
    await Limit("things", 1).admit(ONE, "visitor")
    await Limit("things", 1).admit(OTHER, "visitor")
    await Limit("other things", 1).admit(ONE, "visitor")
    await Limit("things", 1).admit(ONE, "other visitor")
    with pytest.raises(TooMany):
        await Limit("things", 1).admit(ONE, "visitor")


async def test_a_key_names_its_tenant_and_hides_its_subjects(noted: Noted, settings: Any) -> None:
    await Limit("things", 1).admit(ONE, "session 7", "key 5 at 192.0.2.1")
    assert len(set(noted.keys)) == 2
    for key in noted.keys:
        assert key.startswith(f"goassist:limit:{{{ONE}}}:things:")
        assert "192.0.2.1" not in key and "session" not in key
    before = noted.keys
    settings.SECRET_KEY = "another-secret"
    await Limit("things", 1).admit(ONE, "session 7", "key 5 at 192.0.2.1")
    assert not set(before) & set(noted.keys)


def test_a_session_goes_on_until_its_end_or_its_hour() -> None:
    now = timezone.now()
    ensure_going(state="live", end_reason="", created_at=now)
    with pytest.raises(SessionOver, match="hangup"):
        ensure_going(state="ended", end_reason="hangup", created_at=now)
    with pytest.raises(SessionOver, match="limit"):
        ensure_going(state="live", end_reason="", created_at=now - timedelta(hours=1))
