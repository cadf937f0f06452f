"""Text before speech: nothing in it commands the synthesiser, numbers sound as people say them, offsets lead back."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.engines.speakable import LENGTH_LIMIT, PIECE_LENGTH, speakable

snippets = st.sampled_from(
    [
        *("<speak>", "</a>", "[[", "]]", "<!--", "-->", "&lt;", "&#60;", "[x](http://a.bc/d)", "https://w.x/?z", "@"),
        *("$5", "$5.20", "£1.01", "9:00", "17:30", "am", "p.m.", "-", "–", "—", "555-0142", "Mon", "Fri", "Dr.", "?!"),
        *("\u202e", "\u200b", "\ufeff", "\x00", "\x1b[31m", "\ud800", "\u0301", "e\u0301", "\u200d", "1\ufe0f\u20e3"),
        *("½", "ﬁ", "［", "﹤", "🙂", " ", "\n", "a", "7", "'", "°", "×", "%", "&", "+", "=", "#", "_", "*", "`", "−"),
    ]
)  # fmt: skip
texts = st.text(max_size=200) | st.lists(snippets | st.text(max_size=3), max_size=30).map("".join)


@given(texts)
@example("1½")
@example("$1 -5")
@example("&amp;lt;")
@example("<a<b>>")
def test_it_never_raises_and_changes_nothing_the_second_time(text):
    once = speakable(text).text
    assert speakable(once).text == once


@given(texts)
def test_nothing_that_commands_the_synthesiser_comes_out(text):
    spoken = speakable(text).text
    assert not set(spoken) & set("<>[]{}|\\`^~*_&")
    assert {unicodedata.category(character)[0] for character in spoken} <= {"L", "N", "P", "Z"}
    assert spoken == spoken.strip()
    assert "  " not in spoken


@given(texts)
def test_every_character_leads_back_into_the_given_text(text):
    spoken = speakable(text)
    assert len(spoken.text) == len(spoken.starts) == len(spoken.ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(spoken.starts, spoken.ends, strict=True))
    assert list(spoken.starts) == sorted(spoken.starts)


@given(texts, st.integers(-10, 300), st.integers(-10, 300))
def test_any_range_leads_back_into_the_given_text(text, start, length):
    begin, characters = speakable(text).origin(start, length)
    assert 0 <= begin <= begin + characters <= len(text)


@given(texts)
def test_the_pieces_are_the_whole_text(text):
    spoken = speakable(text)
    pieces = list(spoken.pieces())
    assert "".join(piece for _, piece in pieces) == spoken.text
    assert all(spoken.text[offset:].startswith(piece) for offset, piece in pieces)
    assert all(0 < len(piece) <= PIECE_LENGTH + 1 for _, piece in pieces)


@pytest.mark.parametrize(
    ("given_text", "said"),
    [
        ("Hello there.", "Hello there."),
        ("It costs $25.50.", "It costs 25 dollars and 50 cents."),
        ("$1 or $1.01, £2.02, €30", "1 dollar or 1 dollar and 1 cent, 2 pounds and 2 pence, 30 euros"),
        ("$1,200.00 a year", "1,200 dollars a year"),
        ("between $40-$60", "between 40 dollars to 60 dollars"),
        ("9:00 am-5:30 pm", "9 am to 5 30 pm"),
        ("from 9:00 to 17:00", "from 9 o'clock to 17 hundred"),
        ("at 8:05", "at 8 oh 5"),
        ("Mon–Fri", "Monday to Friday"),
        ("Call 555-0142.", "Call 5 5 5, 0 1 4 2."),
        ("Call (555) 123-4567!", "Call 5 5 5, 1 2 3, 4 5 6 7!"),
        ("at -5 degrees", "at minus 5 degrees"),
        ("20°C", "20 degrees C"),
        ("cats & dogs", "cats and dogs"),
        ("#1", "number 1"),
        ("Dr. Chen of St. Mary's", "Dr Chen of St Mary's"),
        ("1½ cups", "1 1/2 cups"),
        ("state-of-the-art", "state-of-the-art"),
        ("Really?! Yes...", "Really? Yes."),
    ],
)
def test_numbers_and_signs_are_written_as_people_say_them(given_text, said):
    assert speakable(given_text).text == said


@pytest.mark.parametrize(
    ("given_text", "said"),
    [
        ("<speak>Hi <break time='9s'/>there</speak>", "Hi there"),
        ("[[h@l'oU]]", "h at l'oU"),
        ("［［boo］］ ﹤speak﹥", "boo"),
        ("&lt;speak&gt;Hi", "speak Hi"),
        ("**Bold** and `code` and # title", "Bold and code and title"),
        ("See [our site](https://example.com/a?b=c).", "See our site."),
        ("See https://www.riverside.vet/prices#cats.", "See riverside dot vet."),
        ("Write to info@riverside.vet", "Write to info at riverside.vet"),
        ("Great 🙂👍🏽!", "Great!"),
        ("a\u202eb\u200bc\x00d\x1b", "abcd"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("cafe\u0301 z\u0300\u0301\u0302\u0315", "café z"),
        ("one\n\ttwo", "one two"),
        ("🙂 … ** <br>", ""),
    ],
)
def test_markup_links_emoji_and_tricks_are_not_said(given_text, said):
    assert speakable(given_text).text == said


def test_a_word_in_the_spoken_text_leads_back_to_its_place_in_the_given_text():
    given_text = "🙂 <b>Visit</b> us: $5.20, ok"
    spoken = speakable(given_text)

    def origin_of(word):
        start, length = spoken.origin(spoken.text.index(word), len(word))
        return given_text[start : start + length]

    assert origin_of("Visit") == "Visit"
    assert origin_of("us") == "us"
    assert origin_of("dollars") == "$5.20"
    assert origin_of("cents") == "$5.20"
    assert origin_of("ok") == "ok"


def test_a_text_without_end_is_cut_at_a_word():
    spoken = speakable("word " * 10_000)
    assert len(spoken.text) <= LENGTH_LIMIT
    assert spoken.text.endswith("word")


def test_the_first_piece_is_one_sentence():
    pieces = [piece for _, piece in speakable("Hello. " + "We are open on Saturdays. " * 20).pieces()]
    assert pieces[0] == "Hello. "
    assert all(len(piece) > PIECE_LENGTH / 2 for piece in pieces[1:-1])
