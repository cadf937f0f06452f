"""Where speech begins and ends, on audio time alone."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.endpointing import Endpointing, Signal

WINDOW_MS = 32.0
SPEECH, SILENCE = [0.9], [0.0]


def run(probabilities: list[float], lull_ms: float = 192) -> list[tuple[int, Signal]]:
    ends = Endpointing(96, 704, lull_ms)
    return [(i, signal) for i, p in enumerate(probabilities) for signal in ends.process(WINDOW_MS, p)]


def kinds(probabilities: list[float]) -> list[Signal]:
    return [signal for _, signal in run(probabilities)]


def test_the_first_window_of_speech_is_told_at_once_and_a_click_taken_back() -> None:
    assert run([0.9, 0.9, 0.1, 0.9, 0.0]) == [
        (0, Signal.ONSET), (2, Signal.ONSET_LOST), (3, Signal.ONSET), (4, Signal.ONSET_LOST),
    ]  # fmt: skip


def test_speech_begins_when_it_has_lasted() -> None:
    assert run(SPEECH * 3) == [(0, Signal.ONSET), (2, Signal.SPEECH_STARTED)]


def test_a_pause_of_700_ms_does_not_end_the_utterance() -> None:
    """Silero hears the pause a little shorter than it is, never longer than by the window it ends in."""
    pause = int(700 / WINDOW_MS)
    assert kinds(SPEECH * 10 + SILENCE * pause + SPEECH * 10) == [
        Signal.ONSET, Signal.SPEECH_STARTED, Signal.LULL, Signal.RESUMED,
    ]  # fmt: skip


def test_longer_silence_ends_it_after_a_lull() -> None:
    assert run(SPEECH * 10 + SILENCE * 30)[-2:] == [(10 + 5, Signal.LULL), (10 + 21, Signal.SPEECH_ENDED)]


def test_each_pause_has_its_own_lull() -> None:
    assert kinds((SPEECH * 10 + SILENCE * 10) * 3).count(Signal.LULL) == 3


def test_a_judged_end_comes_sooner_and_is_forgotten_when_speech_goes_on() -> None:
    ends = Endpointing(96, 704, 96)
    told: list[tuple[int, Signal]] = []
    for i, p in enumerate(SPEECH * 5 + SILENCE * 5 + SPEECH * 5 + SILENCE * 30):
        for signal in ends.process(WINDOW_MS, p):
            told.append((i, signal))
            if signal is Signal.LULL and i < 10:
                ends.end_after(288)
    assert told[-1] == (15 + 21, Signal.SPEECH_ENDED)


def test_a_judged_end_ends_the_silence_it_was_judged_in() -> None:
    ends = Endpointing(96, 704, 96)
    ended = []
    for i, p in enumerate(SPEECH * 5 + SILENCE * 30):
        signals = ends.process(WINDOW_MS, p)
        if Signal.LULL in signals:
            ends.end_after(288)
        if Signal.SPEECH_ENDED in signals:
            ended.append(i)
    assert ended == [5 + 8]


def test_what_stirs_at_the_end_of_a_pause_holds_the_turn_open_for_a_moment() -> None:
    """A window that is not yet speech, but louder than the pause was: perhaps a consonant."""
    quiet, loud = b"\x05\x00" * 512, b"\x50\x00" * 512
    ends = Endpointing(96, 704, 192)
    told = [s for _ in range(10) for s in ends.process(WINDOW_MS, 0.9, loud)]
    told += [s for _ in range(21) for s in ends.process(WINDOW_MS, 0.0, quiet)]
    told += [s for _ in range(4) for s in ends.process(WINDOW_MS, 0.0, loud)]
    assert Signal.SPEECH_ENDED not in told
    assert ends.process(WINDOW_MS, 0.9, loud) == (Signal.RESUMED,)


def test_a_murmur_at_the_end_of_a_pause_is_given_one_window_to_become_a_voice() -> None:
    quiet, murmur = b"\x05\x00" * 512, b"\x0b\x00" * 512
    ends = Endpointing(96, 704, 192)
    told = [s for _ in range(10) for s in ends.process(WINDOW_MS, 0.9, murmur)]
    told += [s for _ in range(21) for s in ends.process(WINDOW_MS, 0.0, quiet)]
    told += ends.process(WINDOW_MS, 0.0, murmur)
    assert Signal.SPEECH_ENDED not in told
    assert Signal.SPEECH_ENDED in ends.process(WINDOW_MS, 0.0, murmur)


def test_a_wavering_probability_does_not_toggle() -> None:
    assert kinds([0.9] * 4 + [0.4, 0.45, 0.36] * 20) == [Signal.ONSET, Signal.SPEECH_STARTED]


@given(st.lists(st.floats(0, 1), max_size=300))
def test_signals_come_in_an_order_that_makes_sense(probabilities: list[float]) -> None:
    follow = {
        None: {Signal.ONSET},
        Signal.ONSET: {Signal.ONSET_LOST, Signal.SPEECH_STARTED},
        Signal.ONSET_LOST: {Signal.ONSET},
        Signal.SPEECH_STARTED: {Signal.LULL},
        Signal.LULL: {Signal.RESUMED, Signal.SPEECH_ENDED},
        Signal.RESUMED: {Signal.LULL},
        Signal.SPEECH_ENDED: {Signal.ONSET},
    }
    last = None
    for signal in kinds(probabilities):
        assert signal in follow[last]
        last = signal


def wary(after: list[float]) -> list[tuple[int, Signal]]:
    """What is told of the windows that follow an utterance which was ended by 352 ms of silence."""
    ends = Endpointing(96, 352, 96, wary_ms=1200)
    for p in SPEECH * 5 + SILENCE * 11:
        ends.process(WINDOW_MS, p)
    assert not ends.speaking
    return [(i, signal) for i, p in enumerate(after) for signal in ends.process(WINDOW_MS, p)]


def test_just_after_a_quick_end_what_stirs_is_an_onset() -> None:
    """A voice that begins with a murmur: silent long before the VAD is sure."""
    assert wary([0.0, 0.12, 0.2, 0.05, *SPEECH * 3]) == [(1, Signal.ONSET), (6, Signal.SPEECH_STARTED)]


def test_what_stirs_without_becoming_speech_is_taken_back_and_does_not_count_again() -> None:
    assert wary([0.12, 0.2, *SILENCE * 8, 0.12, 0.2, *SILENCE * 3, 0.9]) == [
        (0, Signal.ONSET), (8, Signal.ONSET_LOST), (15, Signal.ONSET),
    ]  # fmt: skip


def test_later_only_speech_is_an_onset() -> None:
    assert wary([*SILENCE * 27, 0.2, 0.4, 0.9]) == [(29, Signal.ONSET)]


def test_noise_that_stirs_all_the_time_holds_a_reply_but_for_a_moment() -> None:
    assert wary([0.2] * 60) == [(0, Signal.ONSET), (8, Signal.ONSET_LOST)]


def test_who_is_not_wary_waits_for_speech() -> None:
    assert run(SPEECH * 5 + SILENCE * 23 + [0.2, 0.4])[-1] == (26, Signal.SPEECH_ENDED)
