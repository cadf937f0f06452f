"""What operators keep (soak runs and their reports), and answers that may be asked for again."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from sessions_app.assistants.models import Assistant
from sessions_app.history.models import Session
from sessions_app.tenants.models import SecretKey, Tenant
from sessions_app.tenants.scope import TenantOwned


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


GOING = (RunState.QUEUED, RunState.RUNNING)


class SoakRun(models.Model):
    """One soak test from the console. Belongs to the installation, not to a tenant: only operators see it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slot = models.PositiveSmallIntegerField(
        null=True,
        unique=True,
        editable=False,
        help_text="1 while it is going, nothing afterwards: the database lets only one run hold it.",
    )
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    assistant = models.ForeignKey(Assistant, null=True, on_delete=models.SET_NULL, related_name="+")
    assistant_name = models.CharField(max_length=250)
    callers = models.PositiveIntegerField(default=4)
    minutes = models.FloatField(default=3.0)
    duty = models.FloatField("duty cycle", default=0.3)
    seed = models.PositiveIntegerField(default=1)
    url = models.CharField("address", max_length=200)
    metrics_urls = models.JSONField("metrics pages", default=list, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    secret_key = models.ForeignKey(SecretKey, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(auto_now_add=True)
    stop_asked_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True, default="")
    progress = models.JSONField(default=dict, blank=True)
    series = models.JSONField(default=list, blank=True)
    report = models.JSONField(default=dict, blank=True)
    verdict = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.assistant_name}, {self.callers} callers, {self.minutes:g} min"

    @property
    def going(self) -> bool:
        return self.state in GOING

    def steady(self, figure: str, which: str) -> float | None:
        """A figure of the report's steady state: `steady("ttfa_ms", "p95")`."""
        spread: dict[str, Any] = self.report.get("steady", {}).get(figure, {})
        return spread.get(which)


class LevelSample(models.Model):
    """The highest degradation level of all workers in a minute. The installation's, not a tenant's."""

    at = models.DateTimeField(unique=True)
    level = models.PositiveSmallIntegerField()
    workers = models.PositiveIntegerField()

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"level {self.level} at {self.at:%H:%M}"


class LiveSession(Session):
    """A session, seen as what goes on now: the console's live page hangs on it."""

    class Meta:
        proxy = True
        verbose_name = "live session"
        ordering = ("-created_at",)


class IdempotentAnswer(TenantOwned):
    """What was answered to a request that carried an Idempotency-Key. `status` is None while it is under way."""

    tenant = models.ForeignKey(  # type: ignore[assignment]
        Tenant, null=True, on_delete=models.CASCADE, related_name="+"
    )
    caller = models.CharField(max_length=80)
    key_hash = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_index=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=("caller", "key_hash"), name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"answer to {self.caller}"
