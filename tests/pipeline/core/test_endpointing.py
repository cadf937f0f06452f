"""Where speech begins and ends, on audio time alone."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.endpointing import Endpointing, Signal

WINDOW_MS = 32.0


def run(probabilities: list[float], min_speech_ms: float = 96, endpoint_ms: float = 760) -> list[tuple[int, Signal]]:
    ends = Endpointing(min_speech_ms, endpoint_ms)
    signals = [(i, ends.process(WINDOW_MS, p)) for i, p in enumerate(probabilities)]
    return [(i, s) for i, s in signals if s is not None]


def test_a_click_is_no_speech() -> None:
    assert run([0.9, 0.9, 0.1, 0.9, 0.0]) == []


def test_speech_begins_when_it_has_lasted() -> None:
    assert run([0.9] * 3) == [(2, Signal.SPEECH_STARTED)]


def test_a_pause_of_700_ms_does_not_end_the_utterance() -> None:
    pause = int(700 / WINDOW_MS)
    assert [s for _, s in run([0.9] * 10 + [0.0] * pause + [0.9] * 10)] == [Signal.SPEECH_STARTED]


def test_longer_silence_ends_it() -> None:
    signals = run([0.9] * 10 + [0.0] * 30)
    assert signals[-1] == (10 + 23, Signal.SPEECH_ENDED)


def test_a_wavering_probability_does_not_toggle() -> None:
    assert run([0.9] * 4 + [0.4, 0.45, 0.36] * 20) == [(2, Signal.SPEECH_STARTED)]


@given(st.lists(st.floats(0, 1), max_size=300))
def test_beginnings_and_ends_alternate(probabilities: list[float]) -> None:
    kinds = [s for _, s in run(probabilities)]
    assert all(k is (Signal.SPEECH_STARTED if i % 2 == 0 else Signal.SPEECH_ENDED) for i, k in enumerate(kinds))
