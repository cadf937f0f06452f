"""An assistant has a draft that people edit, and frozen versions that answer visitors."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from sessions_app.tenants import ids
from sessions_app.tenants.ids import PrefixedId
from sessions_app.tenants.scope import TenantOwned, TenantScopedManager, TenantScopedQuerySet


class FrozenVersion(RuntimeError):
    """A published version was to be changed."""


class FrozenQuerySet(TenantScopedQuerySet):
    def update(self, **changes: Any) -> int:
        """Raises FrozenVersion, unless a person is removed: then Django forgets who published, and nothing else."""
        if changes != {"published_by": None}:
            raise FrozenVersion("versions are published for good; publish a new one instead")
        return super().update(**changes)


class FrozenManager(TenantScopedManager):
    _queryset_class = FrozenQuerySet


class Assistant(TenantOwned):
    id = PrefixedId(prefix=ids.ASSISTANT, primary_key=True, editable=False)
    slug = models.SlugField(max_length=60, help_text="Part of the address of its page.")
    name = models.CharField(max_length=120)
    draft = models.JSONField(default=dict)
    live_version = models.ForeignKey(
        "sessions_app.AssistantVersion",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=("tenant", "slug"), name="one_assistant_per_slug")]

    def __str__(self) -> str:
        return self.name


class AssistantVersion(TenantOwned):
    id = PrefixedId(prefix=ids.VERSION, primary_key=True, editable=False)
    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(null=True, blank=True)
    """From 1, without gaps; a draft on trial has none."""
    manifest = models.JSONField()
    digest = models.CharField(max_length=64)
    trial = models.BooleanField(default=False, editable=False)
    """A draft that was frozen to be tried in the console; it was never live."""
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[FrozenManager] = FrozenManager()

    class Meta(TenantOwned.Meta):
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=("assistant", "number"), name="one_version_per_number")]

    def __str__(self) -> str:
        return f"draft of {self.created_at:%-d %b, %H:%M}" if self.trial else f"version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises FrozenVersion for a version that is already there: it never changes."""
        if not self._state.adding:
            raise FrozenVersion(f"{self} is frozen; publish a new one instead")
        super().save(*args, **kwargs)
