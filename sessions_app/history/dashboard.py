"""The console's first page: how much is talked, and how quick the answers were. What is counted, the scope decides."""

import json
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from pipeline.contracts.numbers import TTFA_P50_MS, TTFA_P95_MS
from sessions_app.history.models import Session, SessionState, Turn
from sessions_app.history.selectors import with_turn_total
from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can

DAYS = 14
LATEST_TURNS = 2000
"""The percentiles rest on so many turns at most: the page must stay quick."""


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Operators see the sum of all tenants, and no single session; people
    without a tenant the page without figures."""
    context["title"] = "Overview"
    here = standing(request)
    if here.who is not None:
        context["chart"] = json.dumps(sessions_by_day())
    if here.may(Can.READ_SESSIONS):
        sessions = with_turn_total(Session.objects.select_related("assistant"))
        context["latest"] = sessions.order_by("-created_at")[:8]
    return context


def figures() -> list[dict[str, str]]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    ttfa = sorted(_ttfa_ms())
    return [
        {"title": "Sessions today", "value": str(Session.objects.filter(created_at__gte=today, trial=False).count())},
        {"title": "Live now", "value": str(Session.objects.filter(state=SessionState.LIVE).exclude(worker="").count())},
        {"title": "TTFA p50", "value": _ms(percentile(ttfa, 50)), "note": f"promise: {TTFA_P50_MS:.0f} ms"},
        {"title": "TTFA p95", "value": _ms(percentile(ttfa, 95)), "note": f"promise: {TTFA_P95_MS:.0f} ms"},
    ]


def _ttfa_ms() -> list[float]:
    """V1 of the latest turns in steady state, of a week at most."""
    since = timezone.now() - timedelta(days=7)
    turns = Turn.objects.filter(finished=True, warmup=False, started_at__gte=since, session__trial=False).order_by(
        "-started_at"
    )
    timings = turns.values_list("timings", flat=True)[:LATEST_TURNS]
    return [entry["ttfa_ms"] for entry in timings if "ttfa_ms" in entry]


def percentile(ordered: list[float], percent: int) -> float | None:
    """Nearest rank (ISO 3534-1's sample quantile without interpolation): a value that really occurred."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def sessions_by_day() -> dict[str, Any]:
    """Chart.js data: sessions of each of the last DAYS days, empty ones included."""
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    counted = (
        Session.objects.filter(created_at__date__gte=days[0], trial=False)
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values_list("day")
        .annotate(total=Count("pk"))
    )
    totals = dict(counted)
    return {
        "labels": [f"{day:%b} {day.day}" for day in days],
        "datasets": [
            {
                "label": "Sessions",
                "data": [totals.get(day, 0) for day in days],
                "backgroundColor": "var(--color-primary-600)",
                "maxBarThickness": 28,
            }
        ],
    }
