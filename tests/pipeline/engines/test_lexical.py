from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.demo_specs import demo_spec
from pipeline.contracts.spec import AssistantSpec, Fact
from pipeline.engines.clauses import clauses
from pipeline.engines.concepts import concept
from pipeline.engines.lexical import LexicalRetriever
from pipeline.engines.spelling import nearest

VET, LAW = demo_spec("riverside-vet"), demo_spec("harbor-law")
RETRIEVER = LexicalRetriever()


def best(question, spec=VET):
    """The id that would be answered from, or None below the threshold."""
    found = RETRIEVER.search(spec, question)
    return found[0].id if found and found[0].score >= spec.confidence_threshold else None


def spec_of(*facts, passages=()):
    facts = tuple(Fact(str(n), topic, answer) for n, (topic, answer) in enumerate(facts))
    return AssistantSpec("t", "T", "a", "reception", "A", "Hello.", "", facts=facts, passages=tuple(passages))


def test_the_fact_that_speaks_of_all_that_was_asked_comes_first():
    assert best("What are your opening hours on Saturday?") == "hours-saturday"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("when do you shut on friday", "hours-weekdays"),
        ("what do you charge for a check up", "price-checkup"),
        ("which number do i ring in an emergency", "emergency"),
        ("where are you located", "address"),
    ],
)
def test_words_that_mean_the_same_find_the_same(question, fact):
    assert best(question) == fact


@pytest.mark.parametrize(
    "heard", ["what are your opening ours on saturday", "what our opening hours saturday", "saterday opening hours"]
)
def test_a_word_heard_wrong_does_not_hide_the_answer(heard):
    assert best(heard) == "hours-saturday"


@pytest.mark.parametrize(
    "question",
    [
        "who won the world cup?",
        "what is the price of bitcoin?",
        "can you prescribe antibiotics for my goldfish on mars?",
        "what time is it",
        "",
        "the of and",
    ],
)
def test_what_the_tenant_never_spoke_of_stays_below_the_threshold(question):
    assert best(question) is None


def test_one_tenants_subject_is_unknown_to_the_other():
    assert best("how long does a divorce take", LAW) == "divorce#1"
    assert best("how long does a divorce take", VET) is None
    assert best("how much is a vaccination", VET) == "price-vaccination"
    assert best("how much is a vaccination", LAW) is None


def test_everything_found_is_the_tenants_own():
    own = {fact.id for fact in LAW.facts} | {passage.id for passage in LAW.passages}
    assert {p.id for p in RETRIEVER.search(LAW, "opening hours, price, appointment and address", limit=50)} <= own


def test_of_two_things_asked_both_are_found():
    found = [p.id for p in RETRIEVER.search(VET, "When do you open, and where can I park?")]
    assert {"hours-weekdays", "parking"} <= set(found)


def test_documents_are_found_as_paragraphs():
    assert best("what should i bring to my first visit") == "first-visit#2"


def test_where_nothing_answers_the_phone_number_comes_last_as_the_next_step():
    last = RETRIEVER.search(VET, "who won the world cup?")[-1]
    assert (last.id, last.score) == ("phone", 0.0)


def test_a_version_with_new_knowledge_is_indexed_anew():
    spec = spec_of(("opening hours", "We open at nine."))
    changed = replace(spec, facts=(Fact("0", "opening hours", "We open at ten."),))
    assert RETRIEVER.search(spec, "opening hours")[0].text == "We open at nine."
    assert RETRIEVER.search(changed, "opening hours")[0].text == "We open at ten."


def test_copies_of_one_version_share_an_index():
    retriever = LexicalRetriever()
    for _ in range(3):
        retriever.prepare(demo_spec("harbor-law"))
    assert len(retriever._indexes) == 1


def test_indexes_of_versions_long_unused_are_dropped():
    retriever = LexicalRetriever()
    for number in range(70):
        retriever.prepare(spec_of(("topic", f"Answer {number}.")))
    assert len(retriever._indexes) == 64


def test_a_version_without_knowledge_finds_nothing():
    assert RETRIEVER.search(spec_of(), "What are your opening hours?") == []


@given(st.text(max_size=200), st.integers(1, 6))
def test_whatever_is_asked_scores_are_shares_in_falling_order(question, limit):
    scores = [passage.score for passage in RETRIEVER.search(VET, question, limit)]
    assert len(scores) <= limit
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("When do you open, and where can I park?", ["When do you open", "where can I park"]),
        ("do you treat cats and dogs", ["do you treat cats and dogs"]),
        ("My dog is ill. Are you open?", ["My dog is ill", "Are you open"]),
        ("", [""]),
    ],
)
def test_a_question_is_cut_into_the_things_it_asks(question, parts):
    assert clauses(question) == parts


def test_only_one_slip_is_forgiven_and_only_in_longer_words():
    assert nearest("vacination", ["vaccination"]) == "vaccination"
    assert nearest("saturady", ["saturday"]) == "saturday"
    assert nearest("cart", ["card"]) is None
    assert nearest("vacinaton", ["vaccination"]) is None


def test_a_stem_stands_for_all_forms_of_a_word():
    assert concept("vaccinations") == concept("vaccinated") == concept("jab")
