"""Gathers the slices' models, as Django wants to find them; no logic here."""

from sessions_app.accounts.models import SingleSignOn, SsoIdentity
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.files.models import StoredFile
from sessions_app.history.models import Privacy, Session, SessionEvent, Turn
from sessions_app.operations.models import IdempotentAnswer, LevelSample, LiveSession, SoakRun
from sessions_app.tenants.models import (
    AuditEntry,
    Invitation,
    Membership,
    OperatorKey,
    PublishableKey,
    SecretKey,
    Tenant,
    User,
)
from sessions_app.usage.models import Quota, UsageDay
from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = (
    "Assistant",
    "AssistantVersion",
    "AuditEntry",
    "IdempotentAnswer",
    "Invitation",
    "LevelSample",
    "LiveSession",
    "Membership",
    "OperatorKey",
    "Privacy",
    "PublishableKey",
    "Quota",
    "SecretKey",
    "Session",
    "SessionEvent",
    "SingleSignOn",
    "SoakRun",
    "SsoIdentity",
    "StoredFile",
    "Tenant",
    "Turn",
    "UsageDay",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
)
