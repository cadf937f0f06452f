from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.dialogue import LanguageRequest, Message, Passage
from pipeline.core.scos import Signals, style_line
from pipeline.core.tokens import estimated_tokens
from pipeline.engines.grounding import grounded_messages
from tests.fakes.talk import Talk

TEXT = st.text(alphabet="abc DEF 12.,", max_size=200)

PREFIX = (Message("system", "You are Robin."), Message("user", "Hello"), Message("assistant", "Good day."))
SATURDAY = Passage("hours", "opening hours", "We are open until two.", 0.9, "fact")
PHONE = Passage("phone", "phone", "Call five five five.", 0.0, "fact")


def request(question="When do you open?", passages=(SATURDAY,)):
    messages = (*PREFIX, Message("user", question))
    return LanguageRequest(messages, question, passages, 0.35, 24, "s1", "Robin", "Riverside Vet Clinic")


def test_knowledge_below_the_threshold_is_not_shown_to_the_model():
    weak = Passage("weak", "prices", "It costs a fortune.", 0.2, "fact")
    assert weak.text not in grounded_messages(request(passages=(weak,)))[-1]["content"]


def test_without_knowledge_the_model_is_told_to_say_so_and_offer_the_next_step():
    last = grounded_messages(request(passages=(PHONE,)))[-1]["content"]
    assert "you don't have that information" in last
    assert PHONE.text in last


def test_what_stands_before_the_last_words_is_the_same_for_every_question():
    one, other = grounded_messages(request("One?")), grounded_messages(request("Two?", passages=()))
    assert one[:-1] == other[:-1]


def test_the_way_to_word_the_reply_comes_with_the_last_words_and_not_before() -> None:
    plain, styled = (grounded_messages(replace(request(), style=style)) for style in ("", "Answer in one sentence."))
    assert plain[:-1] == styled[:-1]
    assert "Answer in one sentence." in styled[-1]["content"]
    assert styled[-1]["content"].index("one sentence.") < styled[-1]["content"].index("When do you open?")


PASSAGES = st.lists(st.builds(Passage, st.just("p"), TEXT, TEXT, st.floats(0, 1), st.just("fact")), max_size=4)


@given(PASSAGES, st.booleans())
def test_what_is_put_around_the_visitors_words_is_never_longer_than_the_context_reckons(passages, hurried) -> None:
    talk = Talk()
    style = style_line(Signals(0.0 if hurried else 1.0, True, 1.0), terse=False)
    fitting, reckoned = talk.context.knowledge(passages)
    sent = grounded_messages(replace(request(passages=fitting), style=style))[-1]["content"]
    assert estimated_tokens(sent) <= reckoned + estimated_tokens("When do you open?")
