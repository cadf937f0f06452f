"""Forgetting a visitor: everything that was said in their sessions goes, and the audit log tells that it went."""

from django.db import transaction

from sessions_app.files import services as files
from sessions_app.history.models import Session
from sessions_app.tenants.audit import record
from sessions_app.webhooks import services as webhooks

BATCH = 100
"""Sessions in one transaction: their turns go with them."""


def sessions_of(visitor: str) -> list[Session]:
    """All of this visitor's in scope. `visitor`: as the session was opened with; nobody's for nothing."""
    return list(Session.objects.filter(visitor=visitor)) if visitor else []


def erase(sessions: list[Session]) -> int:
    """Deletes them with their turns, events and recordings, and what webhooks were told of them; figures of usage stay.
    Returns how many. In one tenant's scope.

    The log holds how many, and neither the visitor's name nor what was said.
    """
    for begun in range(0, len(sessions), BATCH):
        some = sessions[begun : begun + BATCH]
        ids = [session.pk for session in some]
        with transaction.atomic():
            Session.objects.filter(pk__in=ids).delete()
            webhooks.forget(about=ids)
            files.let_go(about=ids)
    if sessions:
        tenant = sessions[0].tenant
        record("visitor.erased", tenant, tenant_id=tenant.pk, after={"sessions": len(sessions)})
    return len(sessions)
