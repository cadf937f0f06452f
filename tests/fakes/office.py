"""Rows to test with: a tenant with a published assistant, a session, a member."""

import itertools
from typing import Any

from django.test import Client

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.history.models import Session
from sessions_app.history.services import create_session
from sessions_app.tenants.models import Role, Tenant, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import add_member

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "greeting": "Hello, what can I do for you?",
        "persona": "You are Robin at the reception.",
        "facts": [{"id": "hours", "topic": "opening hours", "answer": "We open at nine."}],
        "documents": [{"id": "visit", "title": "Your visit", "body": "Come early.\n\nBring  your\npapers."}],
        **changes,
    }


def make_tenant(name: str = "") -> Tenant:
    number = next(_numbers)
    with everyone():
        return Tenant.objects.create(slug=f"tenant-{number}", name=name or f"Tenant {number}")


def make_assistant(tenant: Tenant, **changes: Any) -> Assistant:
    """Published."""
    with tenant_scope(tenant.id):
        assistant = create_assistant(tenant=tenant, slug=f"desk-{next(_numbers)}", name="Robin", draft=draft(**changes))
        publish(assistant=assistant)
        assistant.refresh_from_db()
        assistant.tenant = tenant  # outside of its scope a tenant cannot be read
        return assistant


def make_session(assistant: Assistant, channel: str = "voice") -> Session:
    with tenant_scope(assistant.tenant_id):
        version = AssistantVersion.objects.get(pk=assistant.live_version_id)
        session = create_session(tenant_id=assistant.tenant_id, assistant=assistant, version=version, channel=channel)
        session.tenant = assistant.tenant
        return session


def make_member(tenant: Tenant, role: Role = Role.OWNER) -> User:
    user = User.objects.create_user(f"user-{next(_numbers)}@example.com", PASSWORD)
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=user, role=role)
    return user


def make_operator() -> User:
    return User.objects.create_superuser(f"operator-{next(_numbers)}@example.com", PASSWORD)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
