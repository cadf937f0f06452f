from array import array

from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.edges import FADE_SAMPLES, FRAME_BYTES, FRAME_SAMPLES, ease_out, fade_in, last_sample


@given(st.binary(min_size=FRAME_BYTES, max_size=FRAME_BYTES))
def test_a_start_rises_from_silence_and_is_untouched_after_the_fade(pcm):
    samples, faded = array("h", pcm), array("h", fade_in(pcm))
    assert faded[0] == 0
    assert faded[FADE_SAMPLES:] == samples[FADE_SAMPLES:]
    assert all(abs(after) <= abs(before) for after, before in zip(faded, samples, strict=True))


@given(st.integers(-32768, 32767))
def test_a_cut_falls_to_silence_in_small_steps(last):
    eased = array("h", ease_out(last))
    steps = [abs(a - b) for a, b in zip([last, *eased], eased, strict=False)]
    assert len(eased) == FRAME_SAMPLES
    assert max(steps) <= abs(last) // FADE_SAMPLES + 2
    assert not any(eased[FADE_SAMPLES:])


def test_the_last_sample_is_signed():
    assert last_sample(array("h", [5, -7]).tobytes()) == -7
