"""Reading: a month's usage, as the console shows it and as its CSV file has it. Whose, the scope decides."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Min, Q, Sum
from django.utils import timezone

from sessions_app.history.models import Channel
from sessions_app.tenants.models import Tenant
from sessions_app.usage.models import Quota, UsageDay
from sessions_app.usage.quotas import minutes_used, month_of, sessions_now

MONTHS_SHOWN: Final = 36
MONTH: Final = re.compile(r"(?P<year>2[01][0-9]{2})-(?P<month>0[1-9]|1[0-2])")
WARN_FROM: Final = 0.8
"""Of the month's minutes."""
SUMS: Final = {name: Sum(name) for name in UsageDay.FIGURES}


class NoMonth(ValueError):
    """What was asked for is no month; the text says how to write one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant stands to its quota now."""

    minutes: float
    minutes_a_month: int | None
    sessions: int
    concurrent_sessions: int | None
    resets_at: datetime

    @property
    def share(self) -> float | None:
        """Of the month's minutes; None where there is no limit."""
        return self.minutes / self.minutes_a_month if self.minutes_a_month else None

    @property
    def percent(self) -> int:
        """Whole, and 100 only when all are used."""
        return int((self.share or 0) * 100)

    @property
    def used_up(self) -> bool:
        return self.share is not None and self.share >= 1

    @property
    def nearly(self) -> bool:
        return self.share is not None and self.share >= WARN_FROM


def standing_to_quota(tenant_id: UUID) -> Standing:
    now = timezone.now()
    quota = Quota.objects.filter(tenant=tenant_id).first() or Quota()
    _, resets_at = month_of(now)
    return Standing(
        minutes_used(tenant_id, now),
        quota.minutes_a_month,
        sessions_now(tenant_id),
        quota.concurrent_sessions,
        resets_at,
    )


def month_named(text: str) -> date:
    """The first day of `2026-11`; of this month for nothing. Raises NoMonth."""
    if not text:
        return month_of(timezone.now())[0].date()
    found = MONTH.fullmatch(text)
    if found is None:
        raise NoMonth("That is no month. Write one as 2026-11.")
    return date(int(found["year"]), int(found["month"]), 1)


def months() -> list[date]:
    """Those that there is usage of, and this one; the latest first, at most MONTHS_SHOWN."""
    this = month_named("")
    earliest = UsageDay.objects.aggregate(earliest=Min("day"))["earliest"] or this
    found = [this]
    while found[-1] > earliest and len(found) < MONTHS_SHOWN:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def month_rows(month: date) -> Any:
    following = (month + timedelta(days=32)).replace(day=1)
    return UsageDay.objects.filter(day__gte=month, day__lt=following).order_by()


def totals(month: date) -> dict[str, Any]:
    found = {name: total or 0 for name, total in month_rows(month).aggregate(**SUMS).items()}
    return found | {"minutes": found["seconds"] / 60}


def by_day(month: date) -> list[dict[str, Any]]:
    """Each day of the month, empty ones included: the figures, and the minutes of voice and chat apart."""
    apart = {f"{channel}_minutes": Sum("seconds", filter=Q(channel=channel)) / 60.0 for channel in Channel.values}
    found = {row["day"]: row for row in month_rows(month).values("day").annotate(**apart, **SUMS)}
    empty = dict.fromkeys([*SUMS, *apart], 0)
    following = (month + timedelta(days=32)).replace(day=1)
    days = [month + timedelta(days=number) for number in range((following - month).days)]
    return [
        {name: value or 0 for name, value in {**empty, **found.get(day, {})}.items()} | {"day": day} for day in days
    ]


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """A sum over no rows is None."""
    return {name: value for name, value in row.items() if value is not None}


def by_assistant(month: date) -> list[dict[str, Any]]:
    rows = month_rows(month).values("assistant", "assistant_name", "channel").annotate(**SUMS)
    return [{**row, "minutes": row["seconds"] / 60} for row in rows.order_by("-seconds", "assistant_name", "channel")]


def by_tenant(month: date) -> list[dict[str, Any]]:
    """For operators: every tenant, with its quota."""
    used = {row["tenant"]: row for row in month_rows(month).values("tenant").annotate(**SUMS)}
    quotas = {quota.tenant_id: quota for quota in Quota.objects.all()}
    empty = dict.fromkeys(SUMS, 0)
    rows = [
        {**empty, **used.get(tenant.pk, {}), "name": tenant.name, "quota": quotas.get(tenant.pk)}
        for tenant in Tenant.objects.all()
    ]
    for row in rows:
        limit = row["quota"].minutes_a_month if row["quota"] else None
        row["minutes"] = row["seconds"] / 60
        row["percent"] = int(row["minutes"] / limit * 100) if limit else None
    return sorted(rows, key=lambda row: (-row["seconds"], row["name"]))


def table(month: date, *, tenants: bool) -> Iterator[list[Any]]:
    """The month as a file has it, with its head: a row for each day, assistant and channel; for operators
    (`tenants`) each day, tenant and channel."""
    whose = ("tenant__slug",) if tenants else ("assistant_name",)
    yield ["day", "tenant" if tenants else "assistant", "channel", *UsageDay.FIGURES]
    names = ("day", *whose, "channel")
    rows = month_rows(month).values(*names).annotate(**SUMS).order_by(*names)
    for row in rows:
        yield [row["day"].isoformat(), row[whose[0]], row["channel"], *(row[name] for name in UsageDay.FIGURES)]
