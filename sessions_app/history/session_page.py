"""What the console's page of one session shows, as values: transcript, events and where the time went."""

from collections import defaultdict
from typing import Any, Final

from sessions_app.history import waterfall
from sessions_app.history.dashboard import percentile
from sessions_app.history.models import Session, SessionEvent, Turn

BEFORE_ITS_END_MS: Final = 6_000
"""What a visitor says is seldom longer; where it begins no turn knows."""
UNASKED: Final = {"greeting": "(greeting)", "nudge": "(silence)"}
"""What stands for the visitor's words in turns that began without any."""
TITLES: Final = {
    "cancel": "Interrupted",
    "recording": "Recording",
    "notice": "Notice",
    "budget.over": "Over budget",
    "error": "Error",
    "ended": "Connection ended",
}


def of(session: Session) -> dict[str, Any]:
    turns = list(Turn.objects.filter(session=session).order_by("leg", "number"))
    events = _by_turn(SessionEvent.objects.filter(session=session).order_by("leg", "seq"))
    laid = [waterfall.bars(turn.timings) for turn in turns]
    scale = waterfall.scale_ms(laid)
    shown = [
        _turn(session, turn, waterfall.drawn(row, scale), events.pop((turn.leg, turn.number), []))
        for turn, row in zip(turns, laid, strict=True)
    ]
    return {
        "turns": shown,
        "other_events": [_event(event) for left in events.values() for event in left],
        "figures": _figures(session, turns),
        "marks": waterfall.marks(scale),
        "step_ms": round(waterfall.step_ms(scale)),
    }


def _by_turn(rows: Any) -> dict[tuple[int, int], list[SessionEvent]]:
    found: dict[tuple[int, int], list[SessionEvent]] = defaultdict(list)
    for event in rows:
        found[event.leg, event.turn].append(event)
    return found


def _turn(session: Session, turn: Turn, bars: list[dict[str, Any]], events: list[SessionEvent]) -> dict[str, Any]:
    since_s = max(0, int((turn.started_at - session.created_at).total_seconds()))
    return {
        "name": f"{turn.leg}.{turn.number}",
        "id": turn.turn_id,
        "at": clock(since_s),
        "play_ms": max(0.0, turn.t_audio_ms - BEFORE_ITS_END_MS * (turn.origin == "voice")),
        "said": turn.visitor_text or UNASKED.get(turn.origin, "(not understood)"),
        "spoken": bool(turn.visitor_text),
        "told": turn.reply_text or ("–" if turn.finished else "(unfinished)"),
        "notes": _notes(turn, told=any(event.kind == "cancel" for event in events)),
        "bars": bars,
        "barge_in_ms": turn.timings.get("barge_in_ms"),
        "knowledge": [{"name": name, "score": score} for name, score in turn.passages],
        "events": [_event(event) for event in events],
    }


def _notes(turn: Turn, *, told: bool) -> list[str]:
    """`told`: an event says already why it was cut."""
    cut = (turn.cancel_reason or "interrupted") if turn.interrupted else turn.cancel_reason
    notes = (
        "" if told else cut,
        "warm-up" * turn.warmup,
        "typed" * (turn.origin == "chat"),
        f"begun too early: “{turn.fragment}”" if turn.fragment else "",
    )
    return list(filter(None, notes))


def _event(event: SessionEvent) -> dict[str, str]:
    data = event.data
    match event.kind:
        case "budget.over":
            text = f"{data.get('component')}: {data.get('actual_ms', 0):.0f} ms of {data.get('budget_ms', 0):.0f}"
        case "cancel" | "ended":
            text = str(data.get("reason", ""))
        case "recording":
            text = "began" if data.get("on") else "ended"
        case _:
            text = str(data.get("text") or data.get("code", ""))
    at = clock(int(event.t_audio_ms / 1000))
    return {"kind": event.kind, "title": TITLES.get(event.kind, event.kind), "text": text, "at": at}


def _figures(session: Session, turns: list[Turn]) -> list[dict[str, str]]:
    ttfa = sorted(turn.timings["ttfa_ms"] for turn in turns if "ttfa_ms" in turn.timings and not turn.warmup)
    return [
        {"title": "Length", "value": clock(session.length_s)},
        {"title": "Turns", "value": str(len(turns))},
        {"title": "Interrupted", "value": str(sum(turn.interrupted for turn in turns))},
        {"title": "TTFA p50", "value": _ms(percentile(ttfa, 50))},
        {"title": "TTFA p95", "value": _ms(percentile(ttfa, 95))},
    ]


def clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
