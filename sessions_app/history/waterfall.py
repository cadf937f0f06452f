"""How a turn's time was spent, laid out for the eye. Times in ms, from the visitor's last word on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PARTS: Final = (
    ("asr_ms", "asr", "Recognition"),
    ("llm_first_token_ms", "llm", "First words"),
    ("tts_first_audio_ms", "tts", "First sound"),
    ("packaging_ms", "packet", "First packet"),
)
"""In the order in which they come; the last ends where the reply can be heard."""
STEPS_MS: Final = (100, 200, 250, 500, 1000, 2000, 5000)
MOST_MARKS: Final = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind`: a word for the style sheet."""

    kind: str
    label: str
    start_ms: float
    ms: float


def bars(timings: Mapping[str, float]) -> list[Bar]:
    """The silence that was waited for, then the parts that led to the first sound, laid back from that moment: work
    that was begun before the turn was known to be over lies beside the silence. Empty when nothing was heard."""
    ttfa_ms = timings.get("ttfa_ms")
    if ttfa_ms is None:
        return []
    waited_ms = timings.get("endpoint_ms", 0.0)
    known = [(kind, label, timings[name]) for name, kind, label in PARTS if name in timings]
    laid, end_ms = [], waited_ms + ttfa_ms
    for kind, label, ms in reversed(known):
        laid.append(Bar(kind, label, max(0.0, end_ms - ms), min(ms, end_ms)))
        end_ms = max(0.0, end_ms - ms)
    silence = [Bar("silence", "Silence waited for", 0.0, waited_ms)] if waited_ms else []
    return [*silence, *reversed(laid), Bar("ttfa", "Time to first audio", waited_ms, ttfa_ms)]


def scale_ms(rows: Iterable[list[Bar]]) -> float:
    """One for all turns of a page, so that lengths compare: the longest, to the next mark."""
    longest = max((bar.start_ms + bar.ms for row in rows for bar in row), default=0.0)
    step = step_ms(longest)
    return max(step, -(-longest // step) * step)


def step_ms(length_ms: float) -> float:
    return next((float(step) for step in STEPS_MS if length_ms <= step * MOST_MARKS), float(STEPS_MS[-1]))


def marks(scale: float) -> list[float]:
    """Where the page draws its lines, in thousandths."""
    step = step_ms(scale)
    return [round(1000 * number * step / scale, 1) for number in range(int(scale / step) + 1)]


def drawn(row: list[Bar], scale: float) -> list[dict[str, Any]]:
    """With places in thousandths of the scale, as the page's drawing has them."""
    return [
        {
            "kind": bar.kind,
            "label": bar.label,
            "ms": round(bar.ms),
            "x": round(1000 * bar.start_ms / scale, 1),
            "width": max(2.0, round(1000 * bar.ms / scale, 1)),
        }
        for bar in row
    ]
