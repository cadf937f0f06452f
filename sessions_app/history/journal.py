"""The journal's database side: records of workers become rows, exactly once, however often they are handed over.

Turns are unique by (session, leg, number), events by (session, leg, seq). A `told` record writes the whole turn; a
`said` record creates it, or tells more of what the visitor said in it while it is not finished: a repeated one never
takes a finished turn back. A record that cannot be stored (its session was deleted, its values do not fit) is logged
and skipped; an error of the database itself is raised, so that the worker tries again.
"""

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q

from pipeline.contracts.dialogue import EventRecord, LegRecord, Record, TurnRecord
from sessions_app.history import announcements
from sessions_app.history.models import Session, SessionEvent, SessionState, Turn
from sessions_app.history.privacy import as_kept, policies
from sessions_app.tenants.ids import SESSION, is_id
from sessions_app.tenants.scope import everyone
from sessions_app.webhooks.selectors import tenants_listening

log = structlog.get_logger(__name__)

FINAL_REASONS = frozenset({"hangup", "idle", "limit"})
"""After these the visitor does not come back to the session; after all others a new leg may be offered."""
UNSTORABLE = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
TOLD_FIELDS = (
    "origin", "visitor_text", "reply_text", "fragment", "interrupted", "cancel_reason", "warmup", "finished",
    "started_at", "ended_at", "t_audio_ms", "confidence", "timings", "passages", "version_digest", "message_id",
)  # fmt: skip


def apply_records(records: list[Record]) -> None:
    """One transaction. Raises django.db.OperationalError and its kin when the database is away: hand over again."""
    with everyone(), transaction.atomic():
        tenants = _lock_sessions(records)
        theirs = {UUID(tenant_id) for tenant_id in tenants.values()}
        kept, listening = policies(theirs), tenants_listening(theirs)
        for record in records:
            if tenants.get(record.session_id) != record.tenant_id:
                log.warning("record_without_session", session_id=record.session_id, kind=record.kind, leg=record.leg)
                continue
            try:
                with transaction.atomic():
                    tenant_id = UUID(record.tenant_id)
                    _apply(record, kept.get(tenant_id), tenant_id in listening)
            except UNSTORABLE as error:
                log.error(  # noqa: TRY400 (the traceback would carry the visitor's words)
                    "record_not_stored",
                    session_id=record.session_id,
                    kind=record.kind,
                    leg=record.leg,
                    error=type(error).__name__,
                )


def _lock_sessions(records: list[Record]) -> dict[str, str]:
    """Session id → tenant id of those that are there; held, so that none is deleted under its new turns."""
    ids = {record.session_id for record in records if is_id(SESSION, record.session_id)}
    rows = Session.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {pk: str(tenant_id) for pk, tenant_id in rows.values_list("pk", "tenant_id")}


def _apply(record: Record, policy: str | None, tell: bool) -> None:
    """`policy`: what the tenant keeps of words (`history.privacy`). `tell`: it has webhooks."""
    if isinstance(record, LegRecord):
        _apply_leg(record, tell)
        return
    if isinstance(record, EventRecord):
        SessionEvent.objects.bulk_create([_event(record)], ignore_conflicts=True)
        return
    turn = _turn(record, policy)
    mine = Turn.objects.filter(session=turn.session_id, leg=turn.leg, number=turn.number)
    if turn.finished:
        news = tell and not mine.filter(finished=True).exists()
        Turn.objects.bulk_create(
            [turn], update_conflicts=True, unique_fields=("session", "leg", "number"), update_fields=TOLD_FIELDS
        )
        if news:
            announcements.turn_finished(turn)
    else:
        Turn.objects.bulk_create([turn], ignore_conflicts=True)
        unfinished = mine.filter(finished=False)
        unfinished.update(visitor_text=turn.visitor_text, confidence=turn.confidence, t_audio_ms=turn.t_audio_ms)
    _seen(record.session_id, turn.ended_at or turn.started_at)


def _apply_leg(record: LegRecord, tell: bool) -> None:
    """Only the latest leg says how the session stands: an older worker's news may come late."""
    at = _moment(record.at)
    rows = Session.objects.filter(pk=record.session_id, leg=record.leg).exclude(state=SessionState.ENDED)
    if record.kind == "began":
        first = rows.filter(connected_at=None).update(connected_at=at)
        rows.update(state=SessionState.LIVE, worker=_clean(record.worker, 120))
        if first and tell:
            announcements.session_started(record.session_id)
    elif record.reason in FINAL_REASONS:
        ended = rows.update(state=SessionState.ENDED, end_reason=record.reason, ended_at=at, mailbox="", worker="")
        if ended and tell:
            announcements.sessions_ended([record.session_id])
    else:
        rows.update(mailbox="", worker="")
    _seen(record.session_id, at)


def _seen(session_id: str, at: datetime) -> None:
    Session.objects.filter(Q(last_seen_at__lt=at), pk=session_id).update(last_seen_at=at)


def _turn(record: TurnRecord, policy: str | None) -> Turn:
    return Turn(
        tenant_id=UUID(record.tenant_id),
        session_id=record.session_id,
        leg=record.leg,
        number=record.number,
        origin=_clean(record.origin, 10),
        visitor_text=as_kept(_clean(record.visitor_text), policy),
        reply_text=as_kept(_clean(record.reply_text), policy),
        fragment=as_kept(_clean(record.fragment), policy),
        interrupted=record.interrupted,
        cancel_reason=_clean(record.cancel_reason, 20),
        warmup=record.warmup,
        finished=record.kind == "told",
        started_at=_moment(record.started_at),
        ended_at=_moment(record.ended_at) if record.ended_at else None,
        t_audio_ms=_number(record.t_audio_ms),
        confidence=_number(record.confidence),
        timings={_clean(str(name)): _number(ms) for name, ms in record.timings.items()},
        passages=[[_clean(name), _number(score)] for name, score in record.passages],
        version_digest=_clean(record.version, 64),
        message_id=_clean(record.message_id, 128),
    )


def _event(record: EventRecord) -> SessionEvent:
    return SessionEvent(
        tenant_id=UUID(record.tenant_id),
        session_id=record.session_id,
        leg=record.leg,
        seq=record.seq,
        turn=record.turn,
        kind=_clean(record.event, 20),
        at=_moment(record.at),
        t_audio_ms=_number(record.t_audio_ms),
        data={_clean(str(name)): _plain(value) for name, value in record.data.items()},
    )


def _plain(value: Any) -> Any:
    """An event's member as JSON can keep it."""
    if isinstance(value, bool) or value is None:
        return value
    return _number(value) if isinstance(value, (int, float)) else _clean(str(value), 2000)


def _clean(text: str, limit: int | None = None) -> str:
    """Without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:limit]


def _number(value: Any) -> float:
    """JSON and SQLite know no NaN and no infinity."""
    number = float(value)
    return number if math.isfinite(number) else 0.0


def _moment(epoch_s: float) -> datetime:
    """Raises ValueError or OverflowError for what is not a date."""
    return datetime.fromtimestamp(epoch_s, UTC)
