"""The numbers in `pipeline/engines/lexical_turns.py`: a logistic regression on the tuning half of the pause set.

Pauses in unfinished sentences (kind b) against true ends. Pauses where the text is whole (kind c) are left out: they
are both. A penalty keeps the numbers small and alike; the reported half is not looked at.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.pauses.hear import Look, Trace, hear, pause_at
from benchmarks.pauses.make import utterances
from pipeline.engines.lexical_turns import words_of
from pipeline.engines.prosody import Ending, ending
from pipeline.engines.wording import Marks

PENALTY: Final = 1.0
STEPS: Final = 30
SCALE: Final = np.array([*[1.0] * len(Marks._fields), 0.2, 0.1, 2.0])
"""Brings semitones, dB and seconds to about the size of the marks, so that one penalty is fair to all."""


def examples(traces: list[Trace]) -> Iterator[tuple[list[float], float, float]]:
    """(marks and ending, 1 at a true end and 0 at a pause of kind b, weight)."""
    for trace in traces:
        for look in trace.looks:
            if is_end(trace, look):
                yield features(trace, look), 1.0, 1.0
            elif trace.utterance.kind == "b" and look is trace.looks[0]:
                yield features(trace, look), 0.0, 2.0


def is_end(trace: Trace, look: Look) -> bool:
    return look is trace.looks[-1]


def features(trace: Trace, look: Look) -> list[float]:
    pause = pause_at(trace, look)
    return [*words_of(pause), *ending(pause.pcm)]


def fit(traces: list[Trace]) -> tuple[float, Marks, Ending]:
    """Newton's method."""
    rows, labels, weights = (np.array(column) for column in zip(*examples(traces), strict=True))
    inputs = np.column_stack([np.ones(len(rows)), rows * SCALE])
    penalty = PENALTY * np.diag([0.0, *[1.0] * rows.shape[1]])
    found = np.zeros(inputs.shape[1])
    for _ in range(STEPS):
        guess = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weights * (guess - labels)) + penalty @ found
        curve = inputs.T @ (inputs * (weights * guess * (1 - guess))[:, None]) + penalty
        found -= np.linalg.solve(curve, slope)
    numbers = [round(float(number), 2) for number in found[1:] * SCALE]
    cut = len(Marks._fields)
    return round(float(found[0]), 2), Marks(*numbers[:cut]), Ending(*numbers[cut:])


def main() -> None:
    bias, words, voice = fit(hear(utterances("tuning")))
    print(f"BIAS = {bias}\nWORDS = {words}\nVOICE = {voice}")


if __name__ == "__main__":
    main()
