"""A session as a file to send to whoever helps: JSON and CSV in a zip, with secrets taken out."""

import csv
import io
import json
import zipfile
from typing import Any, Final

from django.utils import timezone

from sessions_app.history.models import Session, SessionEvent, Turn
from sessions_app.tenants.audit import plain
from sessions_app.tenants.secrets import without_secrets

FORM: Final = 1
"""Of the bundle; a later one says a higher number."""
TURN_COLUMNS: Final = (
    "turn_id", "leg", "number", "origin", "started_at", "ended_at", "t_audio_ms", "visitor_text", "reply_text",
    "fragment", "interrupted", "cancel_reason", "warmup", "finished", "confidence", "version_digest",
)  # fmt: skip
TIMINGS: Final = (
    "endpoint_ms", "decision_ms", "asr_ms", "llm_first_token_ms", "tts_first_audio_ms", "packaging_ms", "ttfa_ms",
    "barge_in_ms",
)  # fmt: skip
EVENT_COLUMNS: Final = ("leg", "seq", "turn", "kind", "at", "t_audio_ms", "data")
SESSION_FIELDS: Final = (
    "id", "channel", "state", "leg", "worker", "created_at", "last_seen_at", "ended_at", "end_reason",
)  # fmt: skip


def of(session: Session) -> bytes:
    """session.json holds everything; turns.csv and events.csv the same as tables."""
    turns = [_turn(turn) for turn in Turn.objects.filter(session=session).order_by("leg", "number")]
    events = [_row(event, EVENT_COLUMNS) for event in SessionEvent.objects.filter(session=session)]
    whole = {
        "form": FORM,
        "made_at": timezone.now(),
        "session": _row(session, SESSION_FIELDS),
        "assistant": {"id": session.assistant_id, "slug": session.assistant.slug},
        "version": {"id": session.version_id, "number": session.version.number, "digest": session.version.digest},
        "turns": turns,
        "events": events,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.json", json.dumps(_clean(whole), indent=1, ensure_ascii=False))
        archive.writestr("turns.csv", _table(turns, (*TURN_COLUMNS, *TIMINGS)))
        archive.writestr("events.csv", _table(events, EVENT_COLUMNS))
    return file.getvalue()


def _turn(turn: Turn) -> dict[str, Any]:
    return {**_row(turn, TURN_COLUMNS), **{name: turn.timings.get(name) for name in TIMINGS}, "passages": turn.passages}


def _row(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _clean(value: Any) -> Any:
    return json.loads(without_secrets(json.dumps(plain(value), ensure_ascii=False)))


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(row[name]) for name in columns} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A spreadsheet runs what begins like a formula (OWASP: CSV injection); a quote in front makes it text."""
    if not isinstance(value, str):
        return json.dumps(_clean(value)) if isinstance(value, dict | list) else plain(value)
    text = without_secrets(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
