"""Signals from what can be observed: bounded, in the right direction, and seen by nobody."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import dialogue, events, spec, wire
from pipeline.contracts.dialogue import Transcript
from pipeline.core.scos import Scos, Signals, asks_to_repeat, style_line
from pipeline.core.words import words
from tests.fakes.talk import Talk

NAMES = [field.name for field in dataclasses.fields(Signals)]

OBSERVATIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("heard"),
            st.builds(Transcript, st.text(max_size=60), st.floats(allow_nan=False)),
            st.floats(0, 60_000),
        ),
        st.tuples(st.just("interrupted")),
        st.tuples(st.just("replied")),
        st.tuples(st.just("silence"), st.floats(0, 60_000)),
    ),
    max_size=40,
)


def after(observations) -> Scos:
    scos = Scos()
    for name, *values in observations:
        getattr(scos, name)(*values)
    return scos


def of(**observed: int) -> Signals:
    scos = Scos()
    for _ in range(observed.get("interruptions", 0)):
        scos.interrupted()
    for _ in range(observed.get("repeats", 0)):
        scos.heard(Transcript("What?"), 1000.0)
    for _ in range(observed.get("unsure", 0)):
        scos.heard(Transcript("we want to come on friday", 0.2), 2000.0)
    for _ in range(observed.get("silences", 0)):
        scos.silence(10_000.0)
    return scos.signals()


@given(OBSERVATIONS)
def test_whatever_is_observed_the_signals_are_within_their_bounds(observations) -> None:
    signals = after(observations).signals()
    assert 0.0 <= signals.verbosity_level <= 1.0
    assert 0.0 <= signals.clarification_confidence <= 1.0
    assert isinstance(signals.backchannel_allowed, bool)


@given(OBSERVATIONS)
def test_the_same_observations_give_the_same_signals(observations) -> None:
    assert after(observations).signals() == after(observations).signals()


@given(OBSERVATIONS)
def test_an_interruption_never_makes_replies_longer(observations) -> None:
    scos = after(observations)
    before = scos.signals()
    scos.interrupted()
    assert scos.signals().verbosity_level <= before.verbosity_level
    assert scos.signals().backchannel_allowed <= before.backchannel_allowed


@given(OBSERVATIONS, st.floats(0, 1), st.floats(0, 1))
def test_the_less_sure_the_recogniser_the_more_the_reply_makes_sure(observations, one, other) -> None:
    found = []
    for confidence in sorted((one, other)):
        scos = after(observations)
        scos.heard(Transcript("we want to come on friday", confidence), 2000.0)
        found.append(scos.signals().clarification_confidence)
    assert found[0] >= found[1]


@given(OBSERVATIONS)
def test_being_asked_to_repeat_makes_replies_clearer_and_not_longer(observations) -> None:
    repeated, went_on = after(observations), after(observations)
    repeated.heard(Transcript("What?"), 0.0)
    went_on.heard(Transcript("Friday"), 0.0)
    assert repeated.signals().clarification_confidence >= went_on.signals().clarification_confidence
    assert repeated.signals().verbosity_level <= went_on.signals().verbosity_level


def test_a_visitor_in_a_hurry_gets_shorter_replies_than_one_who_takes_time() -> None:
    found = []
    for ms in (1000.0, 2000.0, 4000.0):
        scos = Scos()
        for _ in range(5):
            scos.heard(Transcript("we want to come on friday"), ms)
        found.append(scos.signals().verbosity_level)
    assert found == sorted(set(found))


def test_a_fresh_session_is_spoken_to_as_the_persona_says() -> None:
    assert of() == Signals(0.5, True, 0.0)
    assert style_line(of(), terse=False) == ""


@pytest.mark.parametrize(
    ("observed", "words_in_line"),
    [
        ({"interruptions": 4}, "short"),
        ({"interruptions": 4}, "without an"),
        ({"repeats": 6}, "make sure"),
        ({"unsure": 12}, "make sure"),
    ],
)
def test_what_is_observed_often_shapes_the_next_reply(observed, words_in_line) -> None:
    assert words_in_line in style_line(of(**observed), terse=False)


def test_once_is_not_often() -> None:
    assert style_line(of(interruptions=1, repeats=1, unsure=1, silences=1), terse=False) == ""


def test_a_pressed_worker_asks_for_short_replies() -> None:
    assert "short" in style_line(of(), terse=True)


def test_it_is_forgotten_when_it_goes_well_again() -> None:
    scos = Scos()
    for _ in range(6):
        scos.interrupted()
    assert not scos.signals().backchannel_allowed
    for _ in range(12):
        scos.replied()
        scos.heard(Transcript("thank you that is all i wanted"), 2800.0)
    assert scos.signals().backchannel_allowed
    assert style_line(scos.signals(), terse=False) == ""


@pytest.mark.parametrize("text", ["What?", "Pardon?", "Sorry, what was that?", "Could you repeat that, please?"])
def test_it_knows_when_it_is_asked_to_say_it_again(text: str) -> None:
    assert asks_to_repeat(words(text))


@pytest.mark.parametrize("text", ["", "What are your hours?", "Sorry, I'm late", "please"])
def test_a_question_is_no_such_request(text: str) -> None:
    assert not asks_to_repeat(words(text))


def test_a_session_of_any_length_takes_the_same_memory() -> None:
    scos = Scos("s1")
    size = len(vars(scos))
    for n in range(10_000):
        scos.heard(Transcript(f"word {n}"), 800.0)
        scos.interrupted()
    assert len(vars(scos)) == size
    assert all(isinstance(value, float | str) for value in vars(scos).values())


def test_no_record_event_message_or_manifest_has_a_place_for_them() -> None:
    places = {
        field.name
        for module in (dialogue, events, wire, spec)
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
        for field in dataclasses.fields(value)
    }
    assert not places.intersection({*NAMES, "scos", "signals"})


async def test_what_leaves_a_session_names_none_of_them_whatever_was_observed() -> None:
    talk = Talk()
    for _ in range(6):
        talk.scos.interrupted()
        talk.scos.heard(Transcript("what", 0.1), 2000.0)
    await talk.ask("Are you open?")
    (exchange,) = talk.exchanges
    left = json.dumps([exchange.said().to_wire(), exchange.told("yes").to_wire()])
    (request,) = talk.requests
    assert request.style
    for name in (*NAMES, "scos", "signals", request.style):
        assert name not in left
        assert name == request.style or name not in request.style
        assert not any(name in line.content for line in talk.conversation.lines)
    assert talk.meter.wordings == [(pytest.approx(0.0, abs=0.3), pytest.approx(1.0, abs=0.3))]
