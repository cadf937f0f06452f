"""Whom a tenant wants told, what there is to tell, and how each telling went."""

from django.db import models
from django.utils import timezone

from sessions_app.tenants import ids
from sessions_app.tenants.ids import PrefixedId
from sessions_app.tenants.scope import TenantOwned


class EventType(models.TextChoices):
    """What may be chosen. `TEST` beside them is sent when somebody asks for it."""

    SESSION_STARTED = "session.started", "A session has started"
    SESSION_ENDED = "session.ended", "A session has ended"
    TURN_FINISHED = "turn.finished", "A turn is finished"
    ASSISTANT_PUBLISHED = "assistant.published", "An assistant was published"


TEST = "webhook.test"


class WebhookEndpoint(TenantOwned):
    """An address of the tenant's own, and the secret that what goes there is signed with."""

    id = PrefixedId(prefix=ids.WEBHOOK, primary_key=True, editable=False)
    url = models.CharField("address", max_length=500, help_text="Where events are sent: https://www.example.com/hooks")
    description = models.CharField(max_length=200, blank=True, default="")
    events = models.JSONField(default=list, blank=True, help_text="None: all of them.")
    secret = models.TextField(editable=False)
    """Sealed (`signing`)."""
    previous_secret = models.TextField(blank=True, default="", editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    """Until then the previous one signs, too."""
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    """In a row."""
    first_failure_at = models.DateTimeField(null=True, blank=True, editable=False)
    """Of those; null after a success."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "webhook"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.url

    @property
    def state(self) -> str:
        if not self.enabled:
            return "disabled"
        return "failing" if self.failures else "enabled"


class WebhookEvent(TenantOwned):
    """Something that happened, written in the transaction in which it did. Its id is the message's `webhook-id`."""

    id = PrefixedId(prefix=ids.EVENT, primary_key=True, editable=False)
    type = models.CharField(max_length=40)
    payload = models.TextField()
    """The message's body, to the letter: what is signed must not change between attempts."""
    about = models.CharField(max_length=40, blank=True, default="")
    """The session whose words may be in it: it is forgotten with that."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=("tenant", "about"), name="webhook_event_about"),
            models.Index(fields=("created_at",), name="webhook_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.id})"


class DeliveryState(models.TextChoices):
    PENDING = "pending", "not tried yet"
    FAILED = "failed", "failed, will be tried again"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up", "given up"


OPEN = (DeliveryState.PENDING, DeliveryState.FAILED)
"""Those that are still to be done."""


class WebhookDelivery(TenantOwned):
    """One event on its way to one endpoint."""

    id = PrefixedId(prefix=ids.DELIVERY, primary_key=True, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    """Since it was made, or replayed."""
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    """Somebody is at it. Whoever is not done by then has died, and another takes it up."""
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveIntegerField(null=True, blank=True)
    """Of HTTP; null where nobody answered."""
    last_error = models.CharField(max_length=300, blank=True, default="")
    """In words; empty after a success."""
    response = models.TextField(blank=True, default="")
    """How the answer's body began."""
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    log = models.JSONField(default=list, blank=True)
    """The latest attempts, the oldest first: at, status, error, duration_ms."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "deliveries"
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=("event", "endpoint"), name="one_delivery_per_endpoint")]
        indexes = [
            models.Index(fields=("endpoint", "-created_at"), name="delivery_by_endpoint"),
            models.Index(
                fields=("next_attempt_at",),
                name="delivery_that_is_due",
                condition=models.Q(state__in=("pending", "failed")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"
