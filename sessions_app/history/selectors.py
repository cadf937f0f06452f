"""Reading: conversations, turns, and how quick they were."""

from uuid import UUID

from django.db.models import QuerySet

from sessions_app.history.models import Session, Turn


def session(session_id: UUID | str) -> Session | None:
    """With its assistant and version; None when there is none in scope, or the id is none."""
    try:
        pk = UUID(str(session_id))
    except ValueError:
        return None
    return Session.objects.select_related("assistant", "version", "tenant").filter(pk=pk).first()


def turns(session_id: UUID | str) -> "QuerySet[Turn]":
    """In the order in which they were spoken."""
    rows: QuerySet[Turn] = Turn.objects.filter(session_id=session_id).order_by("leg", "number")
    return rows


def conversation(session_id: UUID | str) -> list[list[str]]:
    """(role, content) pairs, oldest first: what a resumed session remembers. Replies as far as they were heard."""
    pairs: list[list[str]] = []
    for said, told in turns(session_id).values_list("visitor_text", "reply_text"):
        pairs += [["user", said]] if said else []
        pairs += [["assistant", told]] if told else []
    return pairs
