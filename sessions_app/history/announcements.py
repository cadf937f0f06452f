"""What of a session a tenant's webhooks are told: called where its rows change, in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from sessions_app.history.models import Session, Turn
from sessions_app.webhooks.models import EventType
from sessions_app.webhooks.services import emit, written


def session_started(session_id: str) -> None:
    """A worker has taken it for the first time."""
    for session in _rows([session_id]):
        emit(session.tenant_id, EventType.SESSION_STARTED, partial(_session, session), about=session.pk)


def sessions_ended(session_ids: Iterable[str]) -> None:
    for session in _rows(session_ids):
        emit(session.tenant_id, EventType.SESSION_ENDED, partial(_ended, session), about=session.pk)


def turn_finished(turn: Turn) -> None:
    """Words as the tenant keeps them (`history.privacy`): the row has them already."""
    if Session.objects.filter(pk=turn.session_id, trial=True).exists():
        return
    emit(turn.tenant_id, EventType.TURN_FINISHED, partial(_turn, turn), about=turn.session_id)


def _rows(session_ids: Iterable[str]) -> Iterable[Session]:
    """Those of visitors: a tenant's own trial of a draft is no news to its systems."""
    wanted = Session.objects.filter(pk__in=list(session_ids), trial=False)
    rows: Iterable[Session] = wanted.select_related("assistant", "version")
    return rows


def _session(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.pk,
        "assistant_id": session.assistant_id,
        "assistant_slug": session.assistant.slug,
        "version": session.version.number,
        "channel": session.channel,
        "visitor": session.visitor,
        "started_at": _moment(session.connected_at),
    }


def _ended(session: Session) -> dict[str, Any]:
    """One that no worker ever took has not started, but ends, too."""
    began, ended = session.connected_at, session.ended_at
    length_s = (ended - began).total_seconds() if began and ended else 0.0
    return {
        **_session(session),
        "ended_at": _moment(session.ended_at),
        "end_reason": session.end_reason,
        "duration_s": round(max(0.0, length_s), 1),
        "turns": Turn.objects.filter(session=session, finished=True).count(),
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "session_id": turn.session_id,
        "turn_id": turn.turn_id,
        "origin": turn.origin,
        "visitor_text": turn.visitor_text,
        "reply_text": turn.reply_text,
        "interrupted": turn.interrupted,
        "started_at": _moment(turn.started_at),
        "ended_at": _moment(turn.ended_at),
        "timings": turn.timings,
    }


def _moment(moment: datetime | None) -> str | None:
    return written(moment) if moment else None
