import io
import math
import os
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.demo_specs import demo_spec
from benchmarks.visitor_questions import IN_DOMAIN, OUT_OF_DOMAIN
from benchmarks.word_error import word_errors
from pipeline.contracts.spec import AssistantSpec, DocumentPassage, Fact
from pipeline.engines import language_model, own_words, sphinx_trie, trigrams
from pipeline.engines.pronunciation import LETTERS, pronounce, read_dictionary, write_dictionary
from pipeline.engines.trigrams import END, START

SPEC = AssistantSpec(
    "t", "Riverside Clinic", "a", "reception", "Robin", "Hello, this is Robin.", "Be kind.",
    facts=(Fact("f", "price microchip", "A microchip costs 25 dollars."),),
    passages=(DocumentPassage("d#1", "Your first visit", "Bring the cat\N{RIGHT SINGLE QUOTATION MARK}s papers."),),
)  # fmt: skip
SENTENCES = [(("how", "much", "is", "it"), 1.0), (("how", "much", "is", "that"), 2.0), (("is", "it", "open"), 1.0)]
WORDS = [START, END, "how", "is", "it", "much", "open", "that"]


@pytest.fixture(scope="module")
def general_source():
    return sphinx_trie.read(language_model.general_files().model)


def total(model, *context):
    """The sum of P(w | context) over all words, which is one in a model that is right (START is never predicted)."""
    size, places = len(model.words), [model.words.index(word) for word in context]
    following = np.arange(size)
    if len(places) == 1:
        return model.bigram(places[0] * size + following).sum()
    return model.trigram((places[0] * size + places[1]) * size + following).sum()


def test_the_wheels_model_is_read_as_pocketsphinx_reads_it(general_source):
    files = language_model.general_files()
    theirs = pocketsphinx.NGramModel(pocketsphinx.Config(), pocketsphinx.LogMath(), str(files.model))
    for at in range(7, len(general_source.p3), 200_003):
        pair = general_source.context3[at]
        words = [general_source.w3[at], general_source.w2[pair], general_source.h2[pair]]
        newest_first = [general_source.words[place] for place in words]
        assert theirs.prob(newest_first) * math.log(1.0001) == pytest.approx(math.log(general_source.p3[at]), abs=0.01)


def test_the_wheels_bigrams_leave_to_back_off_what_they_should(general_source):
    place = general_source.words.index("opening")
    following = general_source.h2 == place
    said = general_source.p2[following].sum()
    left = general_source.b1[place] * (1 - general_source.p1[general_source.w2[following]].sum())
    assert said + left == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"something else entirely", b"Trie Language Model\x03 and then too short"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "en-us.lm.bin"
    path.write_bytes(content + b"\0" * 3)
    with pytest.raises(ValueError, match="model"):
        sphinx_trie.read(path)


@pytest.mark.parametrize("context", [("how",), ("how", "much"), ("much", "is"), ("is", "it"), (START, "how")])
def test_every_context_of_an_own_model_sums_to_one(context):
    assert total(trigrams.from_sentences(SENTENCES, WORDS), *context) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("context", [("how",), ("how", "much"), ("is", "it"), ("much", "that")])
@given(share=st.floats(0.05, 0.95))
def test_every_context_of_a_mixture_sums_to_one(context, share):
    own = trigrams.from_sentences(SENTENCES, WORDS)
    other = trigrams.from_sentences([(("that", "is", "open"), 1.0), (("how", "open", "is", "it"), 1.0)], WORDS)
    assert total(trigrams.mixed(own, other, share), *context) == pytest.approx(1, abs=1e-3)


def test_what_was_said_more_often_is_more_likely():
    model = trigrams.from_sentences(SENTENCES, WORDS)
    size, (much, is_, it, that) = len(WORDS), (WORDS.index(w) for w in ("much", "is", "it", "that"))
    likely, less = model.trigram((much * size + is_) * size + np.array([that, it]))
    assert likely > less


def test_a_widened_model_says_the_same_of_the_words_it_knew():
    model = trigrams.from_sentences(SENTENCES, WORDS)
    wider = model.widened([*WORDS, "aardvark"])
    how, much = WORDS.index("how"), WORDS.index("much")
    size = len(WORDS)
    assert wider.bigram(np.array([how * (size + 1) + much])) == model.bigram(np.array([how * size + much]))
    assert 0 < wider.p1[-1] < 1e-6


def test_an_arpa_file_lists_every_n_gram():
    model = trigrams.from_sentences(SENTENCES, WORDS)
    out = io.StringIO()
    language_model.write_arpa(model, out)
    text = out.getvalue()
    assert f"ngram 3={len(model.p3)}\n" in text
    assert " how much is\n" in text
    assert text.endswith("\\end\\\n")


def test_own_sentences_come_from_everything_the_version_says():
    said = {" ".join(words) for words, _ in own_words.sentences(SPEC)}
    assert {"a microchip costs two five dollars", "bring the cat's papers", "how much is a microchip"} <= said


@given(text=st.text(max_size=200))
def test_any_text_becomes_words_that_a_recogniser_knows(text):
    for sentence in own_words.spoken_sentences(text):
        assert all(own_words.WORD.fullmatch(word) for word in sentence)


def test_no_question_of_the_benchmark_stands_in_the_texts_it_is_measured_against():
    for slug, questions in IN_DOMAIN.items():
        said = {" ".join(words) for words, _ in own_words.sentences(demo_spec(slug))}
        assert not said & {*questions, *OUT_OF_DOMAIN}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("instalment", "IH N S T AO L M AH N T"),
        ("microchips", "M AY K R OW CH IH P Z"),
        ("lindqvist", "L IH N D K V IH S T"),
    ],
)
def test_a_word_the_dictionary_lacks_gets_a_pronunciation(word, phones):
    known = read_dictionary(language_model.general_files().dictionary)
    known.pop(word, None)
    assert phones in pronounce(word, known)


@given(word=st.from_regex(own_words.WORD, fullmatch=True))
def test_every_word_gets_sounds_that_the_recogniser_has(word):
    sounds = {sound for phones in LETTERS.values() for sound in phones.split()} | {"AH"}
    assert set(pronounce(word, {})[0].split()) <= sounds


def test_a_written_dictionary_reads_back(tmp_path):
    known = {"a": ["AH", "EY"], "cat": ["K AE T"]}
    write_dictionary(tmp_path / "words.dict", known, known)
    assert read_dictionary(tmp_path / "words.dict") == known


def test_only_the_models_used_last_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(language_model, "KEPT_VERSIONS", 2)
    places = [language_model.files_of(version, tmp_path).model.parent for version in ("one", "two", "three")]
    for place in places:
        place.mkdir()
    for age, place in enumerate(places):
        os.utime(place, (1000 + age, 1000 + age))
    assert language_model.ready(language_model.files_of("one", tmp_path))
    language_model.forget_old(tmp_path)
    assert [place.exists() for place in places] == [True, False, True]


def test_a_build_leaves_two_files_and_is_not_repeated(tmp_path):
    files = language_model.build(SPEC, tmp_path)
    assert language_model.ready(files)
    assert sorted(path.name for path in files.model.parent.iterdir()) == ["model.lm.bin", "words.dict"]
    made = files.model.stat().st_mtime_ns
    assert language_model.build(SPEC, tmp_path) == files
    assert files.model.stat().st_mtime_ns == made
    assert {path.suffix for path in Path(tmp_path).iterdir()} == {".npz", ""}


@pytest.mark.parametrize(
    ("said", "heard", "errors"), [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b", "x b c", 2), ("a", "", 1)]
)
def test_word_errors_are_counted(said, heard, errors):
    assert word_errors(said.split(), heard.split()) == errors
