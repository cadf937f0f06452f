"""The pause benchmark measures what it says: known edges, the product's rules, honest counting."""

import numpy as np
import pytest

from benchmarks.pauses import make, peers, simulate
from benchmarks.pauses.hear import WINDOW_MS, Look, Trace, arrival_ms, hear, pauses
from benchmarks.pauses.make import PAUSES_MS, VOICES, Utterance
from benchmarks.pauses.sentences import REPORTED, TUNING
from benchmarks.pauses.true_words import with_true_words
from pipeline.core.patience import BRISK, CALM

ENDPOINT_MS = 704


def test_the_halves_share_no_sentence_and_have_enough_of_each_kind():
    for kind in PAUSES_MS:
        assert (len(TUNING[kind]), len(REPORTED[kind])) == (60, 30)
        assert not set(TUNING[kind]) & set(REPORTED[kind])
        assert {line.count("|") for line in TUNING[kind] + REPORTED[kind]} == {0 if kind == "a" else 1}
    assert len(VOICES) * 3 * 30 >= 300


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("kind", ["b", "c"])
def test_a_pause_lies_where_it_is_said_to_lie_and_is_as_long(voice, kind):
    made = make._make("tuning", voice, kind, TUNING[kind][0])
    low, high = PAUSES_MS[kind]
    assert low - 1 <= made.pause_ms <= high + 1
    sound = np.frombuffer(made.pcm, "<i2").astype(float)
    (begin, pause), (onset, end) = made.spans_ms
    speech, silence = (level(sound, begin, pause), level(sound, onset, end)), level(sound, pause, onset)
    assert min(speech) - silence > 20
    assert level(sound, end, end + 3000) == pytest.approx(silence, abs=3)


def level(sound, start_ms, end_ms):
    """In dB."""
    return 10 * np.log10(np.mean(sound[int(start_ms * 16) : int(end_ms * 16)] ** 2))


def test_the_same_seed_makes_the_same_sound():
    line = TUNING["b"][1]
    assert make._make("tuning", "slt", "b", line) == make._make("tuning", "slt", "b", line)


def trace(*lengths_ms, kind="c", pcm_level=100):
    """Speech, pause, speech, as the VAD would have them to the window; looks in each pause."""
    probabilities, spans, at = [0.01] * 10, [], 10
    for number, length in enumerate(lengths_ms):
        windows = round(length / WINDOW_MS)
        probabilities += [0.01 if number % 2 else 0.95] * windows
        if number % 2 == 0:
            spans.append((at * WINDOW_MS, (at + windows) * WINDOW_MS))
        at += windows
    probabilities += [0.01] * 120
    noise = np.random.default_rng(1).uniform(-pcm_level, pcm_level, len(probabilities) * 512).astype("<i2")
    utterance = Utterance("tuning", kind, "slt", "vet", ("x", "y"), noise.tobytes(), tuple(spans), False)
    looks = tuple(Look(window, "", "", 0.0, 500.0) for _, window, _ in pauses(probabilities))
    return Trace(utterance, tuple(probabilities), looks)


def test_true_words_stand_where_the_visitor_was_silent():
    heard = trace(960, 576, 640)
    assert [look.text for look in with_true_words(heard).looks] == ["x", "x y"]
    assert [look.window for look in with_true_words(heard).looks] == [look.window for look in heard.looks]


def test_calm_is_not_cut_by_a_long_pause_and_brisk_is_where_all_seems_said():
    paused = trace(960, 672, 640)
    assert not simulate.ours(paused, CALM, lambda t, look: 1.0, ENDPOINT_MS).cut_in
    assert simulate.ours(paused, BRISK, lambda t, look: 1.0, ENDPOINT_MS).cut_in
    assert not simulate.ours(paused, BRISK, lambda t, look: 0.0, ENDPOINT_MS).cut_in


def test_first_audio_counts_from_the_true_end_also_after_a_cut_in():
    outcome = simulate.ours(trace(960, 576, 640), BRISK, lambda t, look: 1.0, ENDPOINT_MS)
    assert outcome.cut_in
    assert outcome.first_audio_ms == pytest.approx(352 + simulate.GATE_MS, abs=20)


def test_a_reply_that_is_not_ready_is_waited_for():
    spoken = trace(960)
    late = Trace(spoken.utterance, spoken.probabilities, (Look(spoken.looks[0].window, "", "", 1000.0, 500.0),))
    assert simulate.ours(late, BRISK, lambda t, look: 1.0, ENDPOINT_MS).first_audio_ms > 1000


def test_plain_silence_cuts_whoever_pauses_longer():
    measured = peers.measure([trace(960, 864, 640), trace(960, 700, 640)], None)
    assert measured["vad 800 ms"]["cut_in"] == {"c": 50.0}


def test_a_window_is_there_with_the_packet_that_completes_it():
    assert [arrival_ms(window) for window in range(5)] == [40, 80, 100, 140, 160]


def test_the_real_ears_find_the_pause_and_what_was_said_before_it():
    made = make._make("tuning", "rms", "c", "vet: What are your opening hours | on Saturday?")
    (heard,) = hear([made])
    texts = [look.text for look in heard.looks]
    assert texts == ["what are your opening hours", "what are your opening hours on saturday"]
    assert made.spans_ms[0][1] < arrival_ms(heard.looks[0].window) < made.spans_ms[1][0]
