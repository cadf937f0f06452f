"""Gathers the slices' models, as Django wants to find them; no logic here."""

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.history.models import Session, Turn
from sessions_app.operations.models import LiveSession, SoakRun
from sessions_app.tenants.models import AuditEntry, Membership, PublishableKey, SecretKey, Tenant, User
from sessions_app.usage.models import Quota, UsageDay

__all__ = (
    "Assistant",
    "AssistantVersion",
    "AuditEntry",
    "LiveSession",
    "Membership",
    "PublishableKey",
    "Quota",
    "SecretKey",
    "Session",
    "SoakRun",
    "Tenant",
    "Turn",
    "UsageDay",
    "User",
)
