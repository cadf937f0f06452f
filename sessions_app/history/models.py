"""What happened: sessions and their turns."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from pipeline.contracts.dialogue import turn_id
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.tenants import ids
from sessions_app.tenants.ids import PrefixedId
from sessions_app.tenants.models import PublishableKey, Tenant
from sessions_app.tenants.scope import TenantOwned


class Channel(models.TextChoices):
    VOICE = "voice"
    CHAT = "chat"


class SessionState(models.TextChoices):
    NEW = "new"
    LIVE = "live"
    ENDED = "ended"


class Consent(models.TextChoices):
    """What a visitor says to being recorded."""

    UNASKED = "", "not asked"
    AGREED = "agreed"
    REFUSED = "refused"
    """At once, or later: what had been recorded was deleted then."""


class Session(TenantOwned):
    """A visitor's conversation, over one worker or several (legs)."""

    id = PrefixedId(prefix=ids.SESSION, primary_key=True, editable=False)
    assistant = models.ForeignKey(Assistant, on_delete=models.RESTRICT, related_name="+")
    version = models.ForeignKey(AssistantVersion, on_delete=models.RESTRICT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.VOICE)
    trial = models.BooleanField(default=False, editable=False)
    """Somebody of the tenant tried a draft in the console: not a visitor's, so it counts nowhere."""
    publishable_key = models.ForeignKey(PublishableKey, null=True, on_delete=models.SET_NULL, related_name="+")
    """Whose page opened it; none: the tenant's own server did."""
    visitor = models.CharField(max_length=64, blank=True, default="")
    """Whom the tenant says it is: an id of its own making. Empty: somebody."""
    recording = models.CharField(max_length=10, choices=Consent.choices, blank=True, default=Consent.UNASKED)
    recording_at = models.DateTimeField(null=True, blank=True)
    """When the visitor said so."""
    state = models.CharField(max_length=10, choices=SessionState.choices, default=SessionState.NEW)
    leg = models.PositiveIntegerField(default=0)
    mailbox = models.CharField(max_length=120, blank=True, default="")
    worker = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    held_at = models.DateTimeField(default=timezone.now, editable=False)
    """When it last took one of its tenant's places (`usage.quotas`), while it was new."""
    connected_at = models.DateTimeField(null=True, blank=True)
    """When a worker first took it."""
    last_seen_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True, default="")

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=("tenant", "-created_at"), name="session_by_tenant"),
            models.Index(fields=("state", "last_seen_at"), name="session_by_state"),
            models.Index(fields=("tenant", "visitor"), name="session_by_visitor"),
        ]

    def __str__(self) -> str:
        return f"session {self.id[:12]}"

    @property
    def length_s(self) -> int:
        """Until its end, or the last that was heard of it."""
        return int(((self.ended_at or self.last_seen_at) - self.created_at).total_seconds())


class Turn(TenantOwned):
    """One exchange. `finished`: its reply has been spoken or cut; before that only what the visitor said is known."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="turns")
    leg = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=10)
    visitor_text = models.TextField(blank=True, default="")
    reply_text = models.TextField(blank=True, default="")
    fragment = models.TextField(blank=True, default="")
    """What was heard of replies that were taken back, because the visitor had not finished yet."""
    interrupted = models.BooleanField(default=False)
    cancel_reason = models.CharField(max_length=20, blank=True, default="")
    warmup = models.BooleanField(default=False)
    finished = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    t_audio_ms = models.FloatField(default=0.0)
    confidence = models.FloatField(default=1.0)
    timings = models.JSONField(default=dict, blank=True)
    passages = models.JSONField(default=list, blank=True)
    version_digest = models.CharField(max_length=64, blank=True, default="")
    message_id = models.CharField(max_length=128, blank=True, default="")
    """Of a typed message that was sent with one: it is not said twice."""

    class Meta(TenantOwned.Meta):
        ordering = ("session", "leg", "number")
        constraints = [models.UniqueConstraint(fields=("session", "leg", "number"), name="one_turn_per_number")]
        indexes = [models.Index(fields=("tenant", "started_at"), name="turn_by_tenant")]

    def __str__(self) -> str:
        return self.turn_id

    @property
    def turn_id(self) -> str:
        return turn_id(self.session_id, self.leg, self.number)


class SessionEvent(TenantOwned):
    """What happened in a session beside its turns: an interruption, a budget that was exceeded, a notice, a failure."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="events")
    leg = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    turn = models.IntegerField()
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    t_audio_ms = models.FloatField(default=0.0)
    data = models.JSONField(default=dict, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ("session", "leg", "seq")
        constraints = [models.UniqueConstraint(fields=("session", "leg", "seq"), name="one_event_per_number")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.leg}.{self.turn})"


class Transcripts(models.TextChoices):
    KEEP = "keep", "Keep every word"
    REDACT = "redact", "Take e-mail addresses and long numbers out"
    OFF = "off", "Keep no words"


class Privacy(TenantOwned):
    """What a tenant keeps of what is said, and for how long. Without a row: every word, until it is deleted."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="+")
    transcripts = models.CharField(
        max_length=10,
        choices=Transcripts.choices,
        default=Transcripts.KEEP,
        help_text="For what is said from now on. With no words kept a visitor who loses the connection begins anew.",
    )
    retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Sessions are deleted so many days after their end. Empty: they stay.",
    )
    recordings = models.BooleanField(
        "record calls",
        default=False,
        help_text="Each visitor is asked first, and only who agrees is recorded.",
    )
    recording_days = models.PositiveIntegerField(
        "keep recordings",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Recordings are deleted so many days after the call.",
    )

    class Meta(TenantOwned.Meta):
        verbose_name = verbose_name_plural = "privacy"

    def __str__(self) -> str:
        return "privacy"

    def clean(self) -> None:
        if self.recordings and self.transcripts == Transcripts.OFF:
            said = "No words are kept: then calls cannot be recorded either."
            raise ValidationError({"recordings": said})
