"""How hard the installation was pressed, minute by minute: the highest level (0 to 5) that any worker stood at."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max
from django.utils import timezone

from sessions_app import switchboard
from sessions_app.operations.models import LevelSample

KEPT: Final = timedelta(days=8)


def sample() -> None:
    """Asks the workers and writes it down; of one minute the latest word counts. Nobody answers: nothing is known."""
    minute = timezone.now().replace(second=0, microsecond=0)
    reports = switchboard.muster_from_anywhere()
    if reports:
        told = {"level": max(report.level for report in reports), "workers": len(reports)}
        LevelSample.objects.update_or_create(at=minute, defaults=told)
    LevelSample.objects.filter(at__lt=minute - KEPT).delete()


def by_hour(hours: list[str]) -> list[int | None]:
    """The highest of each of these hours (their starts, ISO 8601, one after the other); None where nothing is known."""
    starts = [datetime.fromisoformat(hour) for hour in hours]
    found = LevelSample.objects.filter(at__gte=starts[0]).values_list("at__date", "at__hour").annotate(Max("level"))
    highest = {(date, hour): level for date, hour, level in found.order_by()}
    return [highest.get((start.date(), start.hour)) for start in starts]
