"""What a tenant may use: a place for each session, and minutes in a month. Whoever finds none is refused early, in
words; a call that runs is never cut.

A place is held by a session that a worker has, and for HOLD_S by one that is new: opened or offered just now. All who
take one take a lock on the tenant's quota first, so two at once never take the last (SQLite: write transactions come
one after the other anyway).
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from sessions_app.history.models import Session, SessionState
from sessions_app.usage.models import Quota, UsageDay

HOLD_S: Final = 120.0
"""So long a session that is not connected yet keeps the place that it found. Each offer to the workers renews it."""
RENEW_S: Final = HOLD_S / 2
"""Sure of its place is a session only so long: the rest is for connecting."""
PLACE_RETRY_S: Final = 30
"""When to ask again where all places are taken: somebody has to hang up first."""


class QuotaExceeded(Exception):
    """`resets_at`: when the month's minutes begin anew; None where it is the number of sessions."""

    def __init__(self, text: str, retry_after_s: int, resets_at: datetime | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
        self.resets_at = resets_at


def take_place(tenant_id: UUID) -> None:
    """For a session that is about to be made, in the same transaction. In the tenant's scope. Raises QuotaExceeded."""
    quota = Quota.objects.filter(tenant=tenant_id).first()
    if quota is not None:
        _ensure_minutes(quota)
        _ensure_place(quota)


@transaction.atomic
def keep_place(session: Session) -> None:
    """Before a session is offered to workers. One that was ever connected may go on, whatever the quota says. In the
    tenant's scope. Raises QuotaExceeded."""
    quota = Quota.objects.filter(tenant=session.tenant_id).first()
    if quota is None:
        return
    new = Session.objects.filter(pk=session.pk, state=SessionState.NEW)
    held_at = new.values_list("held_at", flat=True).first()
    if held_at is None:
        return
    _ensure_minutes(quota)
    if held_at <= timezone.now() - timedelta(seconds=RENEW_S):
        _ensure_place(quota, besides=session.pk)
    new.update(held_at=timezone.now())


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """The calendar month (UTC) that this moment lies in: its beginning, and the next one's."""
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)


def minutes_used(tenant_id: UUID, now: datetime) -> float:
    """In this month, as of the last roll-up."""
    first, following = month_of(now)
    days = UsageDay.objects.filter(tenant=tenant_id, day__gte=first.date(), day__lt=following.date())
    return (days.aggregate(total=Sum("seconds"))["total"] or 0) / 60


def sessions_now(tenant_id: UUID, *, besides: str | None = None) -> int:
    """How many places are taken."""
    held = Q(state=SessionState.NEW, held_at__gt=timezone.now() - timedelta(seconds=HOLD_S))
    sessions = Session.objects.filter(Q(state=SessionState.LIVE) | held, tenant=tenant_id)
    return sessions.exclude(pk=besides).count() if besides else sessions.count()


def _ensure_minutes(quota: Quota) -> None:
    now = timezone.now()
    if quota.minutes_a_month is None or minutes_used(quota.tenant_id, now) < quota.minutes_a_month:
        return
    _, resets_at = month_of(now)
    raise QuotaExceeded(
        f"This month's {quota.minutes_a_month} minutes are used up. They begin anew on {resets_at:%Y-%m-%d} (UTC).",
        math.ceil((resets_at - now).total_seconds()),
        resets_at,
    )


def _ensure_place(quota: Quota, besides: str | None = None) -> None:
    if quota.concurrent_sessions is None:
        return
    # Held until the session that takes the place is there for others to count.
    held = Quota.objects.select_for_update().filter(pk=quota.pk)
    most = held.values_list("concurrent_sessions", flat=True).first()
    if most is not None and sessions_now(quota.tenant_id, besides=besides) >= most:
        raise QuotaExceeded(
            f"No more than {most} conversations at a time here, and so many go on. Try again in {PLACE_RETRY_S} s.",
            PLACE_RETRY_S,
        )
