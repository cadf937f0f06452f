"""What a tenant used, day by day, and how much it may use."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models

from sessions_app.assistants.models import Assistant
from sessions_app.history.models import Channel
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import TenantOwned


class UsageDay(TenantOwned):
    """One assistant's day (UTC) on one channel: figures only, nothing of what was said. Outlives the conversations."""

    FIGURES: ClassVar = ("sessions", "seconds", "visitor_turns", "chat_messages", "interrupted")

    day = models.DateField()
    assistant = models.ForeignKey(Assistant, null=True, on_delete=models.SET_NULL, related_name="+")
    assistant_name = models.CharField(max_length=120)
    """As it was last called: it outlives the assistant, too."""
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sessions = models.PositiveIntegerField(default=0)
    """That were connected for the first time on this day."""
    seconds = models.PositiveBigIntegerField(default=0)
    """Connected time that lies within this day."""
    visitor_turns = models.PositiveIntegerField(default=0)
    """Turns in which the visitor spoke."""
    chat_messages = models.PositiveIntegerField(default=0)
    interrupted = models.PositiveIntegerField(default=0)
    """Replies that the visitor cut."""
    kept = models.JSONField(default=dict)
    """Of these figures, what conversations left behind that have been deleted since."""
    rolled_up_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "usage"
        verbose_name_plural = "usage"
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(fields=("tenant", "day", "assistant", "channel"), name="one_usage_row_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.assistant_name}, {self.channel}, {self.day}"


class Quota(TenantOwned):
    """What a tenant may use. An operator sets it; without a row, or with an empty field, there is no limit."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="+")
    concurrent_sessions = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Sessions at a time. Empty: as many as the workers have seats for.",
    )
    minutes_a_month = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Connected minutes in a calendar month (UTC). Empty: no limit.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        ordering = ("tenant__name",)

    def __str__(self) -> str:
        return f"quota of {self.tenant_id}"
