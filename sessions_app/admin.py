"""Gathers the slices' console pages; no logic here."""

from sessions_app.accounts import admin as accounts
from sessions_app.accounts import sso_admin as single_sign_on
from sessions_app.assistants import admin as assistants
from sessions_app.history import admin as history
from sessions_app.history import privacy_admin as privacy
from sessions_app.operations import admin as operations
from sessions_app.tenants import admin as tenants
from sessions_app.tenants import audit_admin as audit
from sessions_app.tenants import invitation_admin as invitations
from sessions_app.tenants import key_admin as keys
from sessions_app.usage import admin as usage
from sessions_app.webhooks import admin as webhooks

__all__ = (
    "accounts",
    "assistants",
    "audit",
    "history",
    "invitations",
    "keys",
    "operations",
    "privacy",
    "single_sign_on",
    "tenants",
    "usage",
    "webhooks",
)
