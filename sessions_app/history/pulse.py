"""The last 24 hours, hour by hour: how quick answers and interruptions were, what was cut and what failed.

What is counted, the scope decides. Turns carry all of it; the latest MOST_TURNS are looked at, so that the page stays
quick whatever an installation carries.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from pipeline.contracts.events import EventKind
from sessions_app.history.dashboard import percentile
from sessions_app.history.models import SessionEvent, Turn

HOURS: Final = 24
MOST_TURNS: Final = 5_000
MOST_EVENTS: Final = 2_000
MEASURES: Final = {"ttfa": "ttfa_ms", "barge_in": "barge_in_ms"}


def pulse(now: datetime | None = None) -> dict[str, Any]:
    """For charts: `hours` (starts, ISO 8601, the oldest first), and for each of them `ttfa_p50`, `ttfa_p95`,
    `barge_in_p50`, `barge_in_p95` (ms; None where nothing was measured), `turns`, `interrupted`, `errors`,
    `over_budget` (counts)."""
    first = (now or timezone.now()).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    told: dict[str, Any] = {"hours": [(first + timedelta(hours=n)).isoformat() for n in range(HOURS)]}
    turns = list(_turns(first))
    for name, key in MEASURES.items():
        measured = ((at, timings[key]) for at, timings, _, warmup in turns if key in timings and not warmup)
        hours = [sorted(values) for values in _by_hour(first, measured)]
        for percent in (50, 95):
            told[f"{name}_p{percent}"] = [percentile(values, percent) for values in hours]
    told["turns"] = _counts(first, (at for at, *_ in turns))
    told["interrupted"] = _counts(first, (at for at, _, cut, _ in turns if cut))
    events = _events(first)
    for name, kind in (("errors", EventKind.ERROR), ("over_budget", EventKind.OVER_BUDGET)):
        told[name] = _counts(first, (at for at, found in events if found == kind))
    return told


def _turns(since: datetime) -> Iterable[tuple[datetime, dict[str, Any], bool, bool]]:
    turns = Turn.objects.filter(finished=True, started_at__gte=since, session__trial=False).order_by("-started_at")
    return turns.values_list("started_at", "timings", "interrupted", "warmup")[:MOST_TURNS]


def _events(since: datetime) -> list[tuple[datetime, str]]:
    kinds = (EventKind.ERROR, EventKind.OVER_BUDGET)
    found = SessionEvent.objects.filter(at__gte=since, kind__in=kinds).order_by("-at")
    return list(found.values_list("at", "kind")[:MOST_EVENTS])


def _by_hour(first: datetime, values: Iterable[tuple[datetime, float]]) -> list[list[float]]:
    hours: list[list[float]] = [[] for _ in range(HOURS)]
    for at, value in values:
        number = int((at - first) / timedelta(hours=1))
        if 0 <= number < HOURS:
            hours[number].append(value)
    return hours


def _counts(first: datetime, moments: Iterable[datetime]) -> list[int]:
    return [len(hour) for hour in _by_hour(first, ((at, 1.0) for at in moments))]
