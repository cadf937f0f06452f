"""From conversations to figures: what each assistant was used, by day (UTC).

Computed from the history's rows, never by a live call, and as often as one likes: a day is counted anew each time.
Figures of a day only grow: what conversations left behind that were deleted since is kept beside them (`keep`), and
where only their turns were deleted the larger figure stays.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, DateTimeField, DurationField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from sessions_app.assistants.models import Assistant
from sessions_app.history.models import Session, SessionState, Turn
from sessions_app.history.services import LOST
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import tenant_scope
from sessions_app.usage.models import UsageDay

ONE_DAY: Final = timedelta(days=1)
Figures = dict[str, int]
Row = tuple[str, str]
"""Assistant and channel."""


def open_days(now: datetime | None = None) -> list[date]:
    """Days that may still change: today, and yesterday (a journal may come late)."""
    today = (now or timezone.now()).astimezone(UTC).date()
    return [today - ONE_DAY, today]


def roll_up(days: Iterable[date]) -> int:
    """Counts these days anew, of all tenants with conversations then; returns how many rows that are. In the scope of
    everyone."""
    wanted = sorted(days)
    rows = 0
    for tenant_id in _tenants_since(wanted[0]):
        with tenant_scope(tenant_id), transaction.atomic():
            _alone(tenant_id)
            rows += sum(_roll_up_day(tenant_id, day) for day in wanted)
    return rows


def keep(session: Session) -> None:
    """This session is about to be deleted: what of it the next roll-up would have counted stays. In a transaction.

    Of one that is older nothing would have been, and nothing is asked: retention deletes many.
    """
    days = open_days()
    if session.trial:
        return
    if max(session.last_seen_at, session.ended_at or session.last_seen_at) < _midnight(days[0]):
        return
    _alone(session.tenant_id)
    for day in days:
        own = Session.objects.filter(pk=session.pk)
        for (assistant_id, channel), figures in _counted(own, Turn.objects.filter(session=session), day).items():
            row, made = UsageDay.objects.get_or_create(
                tenant_id=session.tenant_id, day=day, assistant_id=assistant_id, channel=channel,
                defaults={**figures, "kept": figures, "assistant_name": session.assistant.name},
            )  # fmt: skip
            if not made:
                row.kept = {name: row.kept.get(name, 0) + figures[name] for name in UsageDay.FIGURES}
                row.save(update_fields=["kept"])


def _tenants_since(day: date) -> list[UUID]:
    since = _midnight(day) - ONE_DAY
    return list(Session.objects.filter(created_at__gte=since).order_by().values_list("tenant", flat=True).distinct())


def _alone(tenant_id: UUID) -> None:
    """Roll-up and deletion of one tenant's sessions take turns, or a session might be counted twice. Nobody else waits:
    rows that refer to the tenant may be written meanwhile."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def _roll_up_day(tenant_id: UUID, day: date) -> int:
    counted = _counted(Session.objects.filter(trial=False), Turn.objects.filter(session__trial=False), day)
    there = {(row.assistant_id, row.channel): row for row in UsageDay.objects.filter(day=day)}
    names = dict(Assistant.objects.filter(pk__in=[pk for pk, _ in counted]).values_list("pk", "name"))
    rows = []
    for (assistant_id, channel), figures in counted.items():
        row = there.get((assistant_id, channel)) or UsageDay(
            tenant_id=tenant_id, day=day, assistant_id=assistant_id, channel=channel
        )
        row.assistant_name = names[assistant_id]
        row.rolled_up_at = timezone.now()
        for name in UsageDay.FIGURES:
            setattr(row, name, max(getattr(row, name), figures[name] + row.kept.get(name, 0)))
        rows.append(row)
    UsageDay.objects.bulk_create([row for row in rows if row.pk is None])
    UsageDay.objects.bulk_update(
        [row for row in rows if row.pk is not None], [*UsageDay.FIGURES, "assistant_name", "rolled_up_at"]
    )
    return len(rows)


def _counted(sessions: "QuerySet[Session]", turns: "QuerySet[Turn]", day: date) -> dict[Row, Figures]:
    found: dict[Row, Figures] = {}
    for row in _spans(sessions, day):
        figures = found.setdefault((row["assistant"], row["channel"]), dict.fromkeys(UsageDay.FIGURES, 0))
        figures |= {"sessions": row["total"], "seconds": round(row["length"].total_seconds())}
    for row in _turns(turns, day):
        figures = found.setdefault(
            (row["session__assistant"], row["session__channel"]), dict.fromkeys(UsageDay.FIGURES, 0)
        )
        figures |= {name: row[name] for name in ("visitor_turns", "chat_messages", "interrupted")}
    return found


def _spans(sessions: "QuerySet[Session]", day: date) -> Iterable[Any]:
    """Connected time within the day: from when a worker first took a session until its end. One that goes on counts
    until its worker last vouched for it (every 10 s), and so does one that was lost."""
    begins, ends = _midnight(day), _midnight(day) + ONE_DAY
    over = When(Q(state=SessionState.ENDED, ended_at__isnull=False) & ~Q(end_reason=LOST), then=F("ended_at"))
    until = Greatest(Case(over, default=F("last_seen_at"), output_field=DateTimeField()), F("connected_at"))
    length = Sum(
        Least(F("until"), _moment(ends)) - Greatest(F("connected_at"), _moment(begins)), output_field=DurationField()
    )
    # A session lasts an hour; older rows need not be looked at.
    return (
        sessions.filter(created_at__gte=begins - ONE_DAY, connected_at__lt=ends)
        .annotate(until=until)
        .filter(until__gte=begins)
        .order_by()
        .values("assistant", "channel")
        .annotate(length=length, total=Count("pk", filter=Q(connected_at__gte=begins)))
    )


def _turns(turns: "QuerySet[Turn]", day: date) -> Iterable[Any]:
    begins = _midnight(day)
    return (
        turns.filter(started_at__gte=begins, started_at__lt=begins + ONE_DAY)
        .order_by()
        .values("session__assistant", "session__channel")
        .annotate(
            visitor_turns=Count("pk", filter=Q(origin="voice")),
            chat_messages=Count("pk", filter=Q(origin="chat")),
            interrupted=Count("pk", filter=Q(interrupted=True)),
        )
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _moment(at: datetime) -> Value:
    return Value(at, output_field=DateTimeField())
