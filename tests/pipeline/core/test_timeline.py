"""What was heard of a reply that was cut."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.audio import SpeechChunk, WordMark
from pipeline.core.timeline import Timeline

WORD_MS = 100


def spoken(*texts: str, marks: bool = True) -> Timeline:
    timeline = Timeline()
    for text in texts:
        timeline.begin_phrase(text)
        at = 0
        for i, word in enumerate(text.split()):
            start = text.index(word, at)
            at = start + len(word)
            words = (WordMark(start, len(word), i * WORD_MS),) if marks else ()
            timeline.add(SpeechChunk(bytes(2 * 16 * WORD_MS), 16_000, (), words))
        timeline.end_phrase()
    return timeline


def test_only_words_that_have_sounded_to_their_end_were_heard() -> None:
    timeline = spoken("one two three", "four five")
    assert timeline.heard(0) == ""
    assert timeline.heard(99) == ""
    assert timeline.heard(150) == "one"
    assert timeline.heard(300) == "one two three"
    assert timeline.heard(420) == "one two three four"
    assert timeline.heard(10_000) == "one two three four five" == timeline.planned


def test_without_word_marks_the_text_is_cut_in_proportion_at_a_word() -> None:
    assert spoken("alpha beta gamma delta", marks=False).heard(200) == "alpha beta"


def test_a_phrase_still_being_synthesised_is_not_heard_to_its_end() -> None:
    timeline = Timeline()
    timeline.begin_phrase("one two")
    timeline.add(SpeechChunk(bytes(3200), 16_000, (), (WordMark(0, 3, 0),)))
    assert timeline.heard(100) == ""


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.lists(st.floats(0, 4000), min_size=2, max_size=8))
def test_more_time_never_means_less_heard(words: list[int], times: list[float]) -> None:
    timeline = spoken(*(" ".join(f"w{i}" for i in range(n)) for n in words))
    heard = [timeline.heard(t) for t in sorted(times)]
    assert all(b.startswith(a) for a, b in zip(heard, heard[1:], strict=False))
    assert all(timeline.planned.startswith(h) for h in heard)
