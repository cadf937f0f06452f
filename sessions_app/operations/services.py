"""Writing: soak runs, and the end of sessions that nobody hears of any more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from pipeline.contracts.numbers import SESSION_LIMIT_S
from sessions_app.assistants.models import Assistant
from sessions_app.history.models import SessionState
from sessions_app.history.services import LOST, end_silent_sessions
from sessions_app.operations.models import GOING, RunState, SoakRun
from sessions_app.tenants.models import SecretKey, Tenant, User
from sessions_app.tenants.services import issue_secret_key, revoke_key

log = structlog.get_logger(__name__)

SILENT_S = 60.0
"""A run (or a live session) that nobody has heard of for so long has lost its process."""


class RunGoing(Exception):
    """Another soak run has not ended yet: one at a time, or they would measure one another."""


def begin_run(*, assistant: Assistant, by: User | None, fields: dict[str, Any]) -> SoakRun:
    """A queued run; the caller hands it to Celery. `fields`: callers, minutes, duty, seed, url, metrics_urls.

    Raises RunGoing.
    """
    sweep_runs()
    try:
        with transaction.atomic():
            return SoakRun.objects.create(
                slot=1, assistant=assistant, assistant_name=f"{assistant.name} ({assistant.tenant.name})",
                started_by=by, **fields,
            )  # fmt: skip
    except IntegrityError as error:
        raise RunGoing("Another soak run is still going. Stop it, or wait for its end.") from error


def claim_run(*, run_id: UUID | str) -> SoakRun | None:
    """Queued → running. None: it was claimed before (a task may be delivered twice), stopped or is gone."""
    now = timezone.now()
    claimed = SoakRun.objects.filter(pk=run_id, state=RunState.QUEUED, stop_asked_at=None).update(
        state=RunState.RUNNING, started_at=now, heard_at=now
    )
    return SoakRun.objects.get(pk=run_id) if claimed else None


def give_key(*, run: SoakRun, tenant: Tenant) -> str:
    """A secret key for this run alone; `end_run` revokes it."""
    run.secret_key, raw = issue_secret_key(tenant=tenant, label=f"Soak run {run.pk}")
    run.save(update_fields=["secret_key"])
    return raw


def note_progress(*, run: SoakRun, progress: dict[str, Any], series: list[Any] | None) -> bool:
    """Keeps how it goes. False: somebody asked for its end, or gave it up."""
    fields: dict[str, Any] = {"heard_at": timezone.now()}
    if progress:
        fields["progress"] = progress
    if series is not None:
        fields["series"] = series
    wanted = SoakRun.objects.filter(pk=run.pk, state=RunState.RUNNING)
    return bool(wanted.update(**fields)) and wanted.filter(stop_asked_at=None).exists()


def ask_stop(*, run: SoakRun) -> None:
    """The run ends soon. One that no worker has begun yet ends now."""
    now = timezone.now()
    SoakRun.objects.filter(pk=run.pk, state__in=GOING, stop_asked_at=None).update(stop_asked_at=now)
    queued = SoakRun.objects.filter(pk=run.pk, state=RunState.QUEUED)
    queued.update(
        state=RunState.STOPPED, slot=None, ended_at=now, verdict="stopped", trouble="Stopped before it began."
    )


def end_run(*, run: SoakRun, report: dict[str, Any] | None, trouble: str = "") -> None:
    """Keeps the report, or what went wrong without one, and revokes the key. A run that ended before stays as it is."""
    state = RunState.FAILED
    if report is not None:
        state = RunState.STOPPED if report.get("stopped") else RunState.FINISHED
    report = report or {}
    fields: dict[str, Any] = {"report": report, "verdict": report.get("verdict", ""), "trouble": trouble}
    if "series" in report:
        fields["series"] = report["series"]
    _end(run, state, fields)


def sweep_runs() -> int:
    """Runs whose process or Celery worker has died are failed; returns how many."""
    silent = SoakRun.objects.filter(state__in=GOING, heard_at__lt=timezone.now() - timedelta(seconds=SILENT_S))
    for run in silent:
        never = run.state == RunState.QUEUED
        trouble = "No Celery worker took the run." if never else "The process that carried the run out has died."
        _end(run, RunState.FAILED, {"trouble": trouble})
        log.warning("soak_run_swept", run=str(run.pk), trouble=trouble)
    return len(silent)


def _end(run: SoakRun, state: RunState, fields: dict[str, Any]) -> None:
    going = SoakRun.objects.filter(pk=run.pk, state__in=GOING)
    going.update(state=state, slot=None, ended_at=timezone.now(), **fields)
    for key in SecretKey.objects.filter(label=f"Soak run {run.pk}"):
        revoke_key(key=key)


def reap_sessions() -> int:
    """Ends sessions in scope that nobody will hear of again; returns how many: live ones that no worker has seen for
    SILENT_S, and new ones that nobody connected to while they could.
    """
    lost = end_silent_sessions(state=SessionState.LIVE, silent_s=SILENT_S, reason=LOST)
    return lost + end_silent_sessions(state=SessionState.NEW, silent_s=SESSION_LIMIT_S, reason="limit")
