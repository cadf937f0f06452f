"""Reading: conversations, turns, and how quick they were."""

from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Concat, Lower

from pipeline.contracts.spec import AssistantSpec
from sessions_app.assistants.models import Assistant
from sessions_app.assistants.selectors import spec_of
from sessions_app.history.models import Session, Turn

MOST_WORDS: Final = 8
SOUGHT: Final = 500
TURNS_READ: Final = 4
"""So many turns with the words a session is reckoned to have."""


def session(session_id: str) -> Session | None:
    """With its assistant and version; None when there is none in scope, or the id is none."""
    try:
        return Session.objects.select_related("assistant", "version", "tenant").filter(pk=session_id).first()
    except ValidationError:
        return None


def turns(session_id: str) -> "QuerySet[Turn]":
    """In the order in which they were spoken."""
    rows: QuerySet[Turn] = Turn.objects.filter(session_id=session_id).order_by("leg", "number")
    return rows


def with_turn_total(sessions: "QuerySet[Session]") -> "QuerySet[Session]":
    """`turn_total` of each row that is read, and of no other: counted beside it, not by grouping all."""
    mine = Turn.objects.filter(session=OuterRef("pk")).order_by().values("session")
    return sessions.annotate(turn_total=Coalesce(Subquery(mine.annotate(total=Count("pk")).values("total")), 0))


def sessions_with(words: str) -> list[str]:
    """Ids of the latest sessions, SOUGHT at most, with a turn in which all these words were said or answered, in any
    order and case. Reads the tenant's turns once, newest first, until there are enough."""
    said = Lower(Concat("visitor_text", Value("\n"), "reply_text", output_field=TextField()))
    turns = Turn.objects.annotate(said=said)
    for word in words.lower().split()[:MOST_WORDS]:
        turns = turns.filter(said__contains=word)
    found = turns.order_by("-started_at").values_list("session_id", flat=True)[: SOUGHT * TURNS_READ]
    return list(dict.fromkeys(found))[:SOUGHT]


def conversation(session_id: str) -> list[list[str]]:
    """(role, content) pairs, oldest first: what a resumed session remembers. Replies as far as they were heard."""
    pairs: list[list[str]] = []
    for said, told in turns(session_id).values_list("visitor_text", "reply_text"):
        pairs += [["user", said]] if said else []
        pairs += [["assistant", told]] if told else []
    return pairs


def answer_to(session_id: str, message_id: str) -> Turn | None:
    """The finished turn in which this message was answered, if its words were kept. In scope."""
    answered = Turn.objects.filter(session=session_id, message_id=message_id, finished=True).exclude(reply_text="")
    return answered.first()


def versions_called_last(limit: int) -> list[AssistantSpec]:
    """The live versions of the assistants in scope that have the latest sessions, those first; then any others."""
    latest = Session.objects.filter(assistant=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    published = Assistant.objects.select_related("live_version").exclude(live_version=None)
    called = published.annotate(called_at=Subquery(latest)).order_by(F("called_at").desc(nulls_last=True))[:limit]
    return [spec_of(assistant.live_version) for assistant in called]
