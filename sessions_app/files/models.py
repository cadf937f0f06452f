"""Files that a tenant keeps: a row for each, and its bytes in the store that the installation names."""

from django.db import models
from django.utils import timezone

from sessions_app.tenants import ids
from sessions_app.tenants.ids import PrefixedId
from sessions_app.tenants.scope import TenantOwned


class Purpose(models.TextChoices):
    RECORDING = "recording"
    """Of a call."""


class FileState(models.TextChoices):
    COMING = "coming"
    """The row is there before the bytes: what is cut off in between is found, and goes."""
    KEPT = "kept"
    GOING = "going"
    """Nobody sees it any more; its bytes are deleted next, then the row."""


class StoredFile(TenantOwned):
    id = PrefixedId(prefix=ids.FILE, primary_key=True, editable=False)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    about = models.CharField(max_length=40, blank=True, default="")
    """What it belongs to: the session that it is a recording of."""
    name = models.CharField(max_length=120)
    """What whoever downloads it sees; one of a kind in its tenant."""
    content_type = models.CharField(max_length=80)
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    starts_ms = models.FloatField(null=True, blank=True)
    """Of sound: where it begins on its session's audio clock."""
    length_ms = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.COMING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = "file"
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=("tenant", "name"), name="one_file_per_name")]
        indexes = [
            models.Index(fields=("tenant", "about"), name="file_by_subject"),
            models.Index(fields=("tenant", "-created_at"), name="file_by_tenant"),
            models.Index(fields=("state",), condition=~models.Q(state="kept"), name="file_on_its_way"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """In the store: a folder for each tenant."""
        return f"{self.tenant_id}/{self.id}"
