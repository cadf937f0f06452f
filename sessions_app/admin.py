"""Gathers the slices' console pages; no logic here."""

from sessions_app.assistants import admin as assistants
from sessions_app.history import admin as history
from sessions_app.operations import admin as operations
from sessions_app.tenants import admin as tenants

__all__ = ("assistants", "history", "operations", "tenants")
