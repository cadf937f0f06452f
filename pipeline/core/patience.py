"""How much silence ends a turn. Pure functions."""

from typing import Final

from pipeline.contracts.spec import TurnSettings

CALM: Final = "calm"
BRISK: Final = "brisk"
BRISK_MS: Final = 288.0
"""Nine VAD windows: a brisk assistant takes the turn this long after a sentence that sounds complete."""
COMPLETE: Final = 0.5


def silence_needed_ms(patience: str, completeness: float, most_ms: float) -> float:
    """The silence, as the VAD hears it, that ends a turn which is complete with this probability."""
    if patience == BRISK and completeness >= COMPLETE:
        return min(BRISK_MS, most_ms)
    return most_ms


def lull_ms(turns: TurnSettings) -> float:
    """The silence after which a reply is prepared: a quarter of what ends the turn, so that most dips inside words
    start nothing; a brisk assistant has less time."""
    return min(96.0, turns.endpoint_ms / 4) if turns.patience == BRISK else min(192.0, turns.endpoint_ms / 4)
