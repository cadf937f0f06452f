"""Reading: what a soak run's page shows, and the sessions that are live now."""

from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from sessions_app import switchboard
from sessions_app.history.models import Session, SessionState, Turn
from sessions_app.operations.models import SoakRun

LIVE_SHOWN = 500
LEVELS = (
    "normal",
    "face slowed",
    "shorter replies",
    "essential tools only",
    "new sessions queue",
    "new sessions refused",
)
"""Of a worker, 0 to 5, in words."""


def run_page(run: SoakRun) -> dict[str, Any]:
    """A run as JSON for its page: complete enough to draw everything that changes while it goes."""
    return {
        "state": run.state,
        "going": run.going,
        "stopping": run.going and run.stop_asked_at is not None,
        "minutes": run.minutes,
        "elapsed_s": round(((run.ended_at or timezone.now()) - run.started_at).total_seconds())
        if run.started_at
        else 0,
        "progress": run.progress,
        "series": run.series,
        "verdict": run.verdict,
    }


def workers() -> list[dict[str, Any]]:
    """How the workers stand now, for operators. Asked, not kept: takes a quarter of a second."""
    return [
        {
            "worker": report.worker,
            "pool": report.pool,
            "level": report.level,
            "level_name": LEVELS[report.level],
            "why": report.why,
            "sessions": report.sessions,
            "seats": report.seats,
            "loop_lag_ms": report.loop_lag_ms,
            "ttfa_p95_ms": report.ttfa_p95_ms,
            "takes_sessions": report.admits and report.sessions < report.seats,
        }
        for report in switchboard.muster_from_anywhere()
    ]


def live_sessions() -> list[dict[str, Any]]:
    """Sessions in scope that a worker holds now, newest first, with the last turn's time to first audio."""
    last = Turn.objects.filter(session=OuterRef("pk"), finished=True).order_by("-leg", "-number")
    rows = (
        Session.objects.filter(state=SessionState.LIVE)
        .select_related("tenant", "assistant")
        .annotate(last_timings=Subquery(last.values("timings")[:1]))
        .order_by("-created_at")[:LIVE_SHOWN]
    )
    now = timezone.now()
    return [
        {
            "id": str(row.pk),
            "tenant": row.tenant.name,
            "assistant": row.assistant.name,
            "channel": row.channel,
            "worker": row.worker,
            "leg": row.leg,
            "duration_s": round((now - row.created_at).total_seconds()),
            "seen_s": round((now - row.last_seen_at).total_seconds()),
            "ttfa_ms": (row.last_timings or {}).get("ttfa_ms"),
        }
        for row in rows
    ]
