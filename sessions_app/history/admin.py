"""Console pages: sessions with their turns, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from sessions_app.history.models import Session, Turn
from sessions_app.tenants.console import ReadOnlyAdmin
from sessions_app.tenants.permissions import Can

STATES = {"new": "info", "live": "success", "ended": ""}


def _timing(name: str, title: str) -> Any:
    @display(description=title)
    def column(self: Any, turn: Turn) -> str:
        value = turn.timings.get(name)
        return "–" if value is None else f"{value:.0f}"

    return column


UNASKED = {"greeting": "(greeting)", "nudge": "(silence)"}
"""What stands for the visitor's words in turns that began without any."""


class TurnInline(TabularInline):
    model = Turn
    verbose_name_plural = "turns (times in ms)"
    extra = 0
    hide_title = True
    ordering = ("leg", "number")
    fields = (
        "turn", "said", "told", "endpoint", "asr", "first_token", "first_audio", "ttfa", "barge_in", "note",
        "knowledge",
    )  # fmt: skip
    readonly_fields = fields

    endpoint = _timing("endpoint_ms", "Endpoint")
    asr = _timing("asr_ms", "ASR")
    first_token = _timing("llm_first_token_ms", "First token")
    first_audio = _timing("tts_first_audio_ms", "First audio")
    ttfa = _timing("ttfa_ms", "TTFA")
    barge_in = _timing("barge_in_ms", "Barge-in")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Turn")
    def turn(self, turn: Turn) -> str:
        """Leg and number, as in the turn's public name."""
        return f"{turn.leg}.{turn.number}"

    @display(description="Visitor")
    def said(self, turn: Turn) -> str:
        return turn.visitor_text or UNASKED.get(turn.origin, "(not understood)")

    @display(description="Assistant, as heard")
    def told(self, turn: Turn) -> str:
        return turn.reply_text or ("–" if turn.finished else "(unfinished)")

    @display(description="Note")
    def note(self, turn: Turn) -> str:
        notes = (
            (turn.cancel_reason or "interrupted") if turn.interrupted else turn.cancel_reason,
            "warm-up" * turn.warmup,
            "typed" * (turn.origin == "chat"),
            f"begun too early: “{turn.fragment}”" if turn.fragment else "",
        )
        return ", ".join(filter(None, notes)) or "–"

    @display(description="Knowledge")
    def knowledge(self, turn: Turn) -> str:
        return ", ".join(f"{name} ({score:.2f})" for name, score in turn.passages) or "–"


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    read, write = Can.READ_SESSIONS, Can.READ_SESSIONS
    list_display = ("created_at", "assistant", "channel", "coloured_state", "turn_count", "length", "end_reason")
    list_filter = ("state", "channel", "created_at")
    list_select_related = ("assistant", "tenant")
    date_hierarchy = "created_at"
    list_per_page = 50
    fields = (
        ("assistant", "version"),
        ("channel", "state", "end_reason"),
        ("created_at", "last_seen_at", "ended_at"),
        ("worker", "leg"),
    )
    inlines = (TurnInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        return sessions.annotate(turn_total=Count("turns"))

    @display(description="State", ordering="state", label=STATES)
    def coloured_state(self, session: Session) -> str:
        return session.state

    @display(description="Turns", ordering="turn_total")
    def turn_count(self, session: Session) -> int:
        return session.turn_total  # type: ignore[attr-defined]

    @display(description="Length")
    def length(self, session: Session) -> str:
        seconds = int(((session.ended_at or session.last_seen_at) - session.created_at).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02d}"
