"""Conversations may be deleted; what they used stays counted."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete

from sessions_app.history.models import Session
from sessions_app.tenants.models import Tenant
from sessions_app.usage.metering import keep


def before_deletion(sender: Any, instance: Session, origin: Any = None, **kwargs: Any) -> None:
    """Receiver of `pre_delete`. With a tenant goes its usage, too."""
    begun_at = origin.model if isinstance(origin, QuerySet) else type(origin)
    if begun_at is not Tenant:
        keep(instance)


def install() -> None:
    pre_delete.connect(before_deletion, sender=Session, dispatch_uid="goassist.usage")
