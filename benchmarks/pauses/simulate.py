"""When the turn would be over: the product's own rules (`core.patience`) applied to what was heard, and the peers'."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.pauses.hear import MIN_SPEECH_MS, SOFT_WINDOWS, WINDOW_MS, Look, Trace, arrival_ms
from pipeline.contracts.numbers import VAD_WINDOW_SAMPLES
from pipeline.core import patience
from pipeline.core.endpointing import ENTER, LEAVE

GATE_MS: Final = 5.0
"""From the decision to the first packet, the reply being ready behind the gate."""
REPLY_MS: Final = 30.0
"""From the words to a reply that is ready (retrieval, `frontdesk`, espeak's first chunk; docs/performance.md)."""

Judge = Callable[[Trace, Look], float]
"""Completeness at a pause."""


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    cut_in: bool
    """The reply would have sounded before the visitor's true end."""
    first_audio_ms: float
    """After the true end."""


def ours(trace: Trace, how: str, completeness: Judge, endpoint_ms: float) -> Outcome:
    """One utterance through the endpointing. After a cut-in the turn goes on, as in the product: one turn, one end."""
    looks = {look.window: look for look in trace.looks}
    loud = loudness(trace)
    speaking, speech, silence, quietest, known, ready, cut = False, 0, 0.0, 0, None, 0.0, False
    since_stir = math.inf
    for window, probability in enumerate(trace.probabilities):
        if not speaking:
            speech = speech + 1 if probability >= ENTER else 0
            speaking, silence = speech * WINDOW_MS >= MIN_SPEECH_MS, 0.0
            continue
        if probability >= LEAVE:
            silence, known = 0.0, None
            continue
        silence += WINDOW_MS
        quietest = min(quietest, loud[window]) if silence > WINDOW_MS else loud[window]
        since_stir = math.inf if silence <= WINDOW_MS else since_stir + WINDOW_MS
        if patience.stirs(probability, loud[window], quietest) and silence > patience.FADING_MS:
            since_stir = 0.0
        if look := looks.get(window):
            known, ready = completeness(trace, look), arrival_ms(window) + look.asked_ms + REPLY_MS
        needed = patience.needed_ms(how, known, endpoint_ms)
        if silence < SOFT_WINDOWS * WINDOW_MS:
            continue
        if patience.is_over(needed, silence, since_stir, patience.murmurs(loud[window], quietest)):
            audio = max(arrival_ms(window), ready) + GATE_MS
            if audio >= trace.utterance.end_ms:
                return Outcome(trace.utterance.kind, cut, audio - trace.utterance.end_ms)
            cut, speaking, speech = True, False, 0
    raise ValueError(f"no end was found of: {trace.utterance.text}")


def loudness(trace: Trace) -> list[int]:
    """`core.patience.loudness` of every window, at once."""
    sound = np.abs(np.frombuffer(trace.utterance.pcm, "<i2").astype(np.int32))
    count = len(sound) // VAD_WINDOW_SAMPLES
    return sound[: count * VAD_WINDOW_SAMPLES].reshape(count, -1).max(axis=1).tolist()


def summary(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    """Cut-in rates in percent per kind, and first audio after the true end."""
    rates = {
        kind: round(100 * float(np.mean([o.cut_in for o in outcomes if o.kind == kind])), 1)
        for kind in sorted({o.kind for o in outcomes})
    }
    p50, p95 = np.percentile([o.first_audio_ms for o in outcomes], [50, 95])
    return {"cut_in": rates, "first_audio_ms": {"p50": round(float(p50)), "p95": round(float(p95))}}
