"""What others' rules would do on the same sound, engines not counted: silence alone, and Smart Turn as Pipecat has it.

Pipecat 1.14.0's defaults, read in its source: Silero at confidence 0.7, speech after 0.2 s of it, the VAD stops after
0.2 s of silence; then Smart Turn is asked once and ends the turn above 0.5; else speech must follow, or 3 s of silence.
Its volume gate is left out (our sound is loud enough for it throughout), and its time to run the model.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.pauses.hear import BYTES_PER_MS, MIN_SPEECH_MS, WINDOW_MS, Trace, arrival_ms
from benchmarks.pauses.simulate import Outcome, summary
from pipeline.core.endpointing import ENTER
from pipeline.engines import smart_turn

PLAIN_MS: Final = 800.0
CONFIDENCE: Final = 0.7
SWITCH_WINDOWS: Final = 6
"""To speech and back: round(0.2 s / 32 ms)."""
LONGEST_MS: Final = 3000.0
COMPLETE: Final = 0.5

Decides = Callable[[int, int, float], bool]
"""(the turn's first window, the current one, silence in ms) to whether the turn is over."""


def measure(traces: list[Trace], model: Path | None) -> dict[str, Any]:
    found = {"vad 800 ms": summary([_until(t, ENTER, lambda _, __, silence: silence >= PLAIN_MS) for t in traces])}
    if model is not None:
        session = smart_turn.load(str(model), None)
        found["smart turn, pipecat's defaults"] = summary(
            [_until(t, CONFIDENCE, _smart_turn(t, session)) for t in traces]
        )
    return found


def _smart_turn(trace: Trace, session: Any) -> Decides:
    def decides(first: int, window: int, silence_ms: float) -> bool:
        if silence_ms != SWITCH_WINDOWS * WINDOW_MS:
            return silence_ms >= LONGEST_MS
        start, end = (int(at * WINDOW_MS) * BYTES_PER_MS for at in (first, window + 1))
        pcm = trace.utterance.pcm[start:end]
        return smart_turn.probability(session, pcm) > COMPLETE

    return decides


def _until(trace: Trace, threshold: float, decides: Decides) -> Outcome:
    first, speech, silence, speaking, cut = 0, 0, 0.0, False, False
    for window, probability in enumerate(trace.probabilities):
        if probability >= threshold:
            speech, silence = speech + 1, 0.0
            speaking = speaking or speech >= (SWITCH_WINDOWS if threshold == CONFIDENCE else MIN_SPEECH_MS / WINDOW_MS)
            continue
        speech = 0
        silence += WINDOW_MS * speaking
        if not speaking or not decides(first, window, silence):
            continue
        if arrival_ms(window) >= trace.utterance.end_ms:
            return Outcome(trace.utterance.kind, cut, arrival_ms(window) - trace.utterance.end_ms)
        first, speaking, silence, cut = window, False, 0.0, True
    return Outcome(trace.utterance.kind, cut, LONGEST_MS)
