import re
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.demo_specs import demo_spec
from pipeline.contracts.dialogue import LanguageRequest, Message, Passage
from pipeline.core.followup import question_in_context
from pipeline.engines.frontdesk import ASK_ELSE, REST_UNKNOWN, UNKNOWN, FrontdeskLanguage
from pipeline.engines.lexical import LexicalRetriever
from pipeline.engines.smalltalk import FIXED

VET = demo_spec("riverside-vet")
RETRIEVER = LexicalRetriever()
SATURDAY = "We are open on Saturdays from nine in the morning until two in the afternoon."
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def request(question, passages, history=()):
    messages = (Message("system", VET.persona), *history, Message("user", question))
    return LanguageRequest(messages, question, tuple(passages), 0.35, 512, "s1", VET.assistant_name, VET.tenant_name)


async def told(asked):
    return "".join([piece async for piece in FrontdeskLanguage().reply(asked)])


class Visitor:
    """Talks with the front desk, as the session would let one: retrieval in context, history kept."""

    def __init__(self):
        self.history, self.questions = [], []

    async def ask(self, question):
        passages = RETRIEVER.search(VET, question_in_context(question, self.questions))
        reply = await told(request(question, passages, self.history))
        self.questions.append(question)
        self.history += [Message("user", question), Message("assistant", reply)]
        return reply


@pytest.fixture
def visitor():
    return Visitor()


async def test_a_fact_is_told_as_it_stands(visitor):
    assert await visitor.ask("What are your opening hours on Saturday?") == SATURDAY


async def test_the_first_piece_is_the_first_word():
    passage = Passage("x", "opening hours saturday", SATURDAY, 0.9, "fact")
    async with aclosing(FrontdeskLanguage().reply(request("saturday hours", [passage]))) as pieces:
        assert await anext(pieces) == "We "


async def test_of_a_document_only_the_sentences_that_answer_are_told(visitor):
    reply = await visitor.ask("can my dog eat before the operation")
    assert (
        reply == "Before an operation your cat or dog must not eat anything after ten in the evening of the day before."
    )


async def test_two_questions_get_two_answers(visitor):
    reply = await visitor.ask("When do you open, and where can I park?")
    assert "from Monday to Friday" in reply
    assert "parking spaces" in reply


async def test_one_question_gets_one_answer(visitor):
    assert await visitor.ask("how much is a check up") == "A check-up costs forty dollars."


async def test_the_half_that_is_not_known_is_said_to_be_unknown(visitor):
    reply = await visitor.ask("Where are you, and what is the price of bitcoin?")
    assert reply.startswith("You find us at twelve Mill Lane")
    assert reply.endswith(REST_UNKNOWN)


async def test_follow_ups_are_understood(visitor):
    await visitor.ask("What are your opening hours on Saturday?")
    assert "closed on Sundays" in await visitor.ask("and on Sunday?")
    await visitor.ask("do you neuter dogs")
    assert "ninety dollars for a cat" in await visitor.ask("how much is that for cats?")


async def test_what_is_not_known_is_said_honestly_with_a_next_step(visitor):
    reply = await visitor.ask("who won the world cup?")
    assert reply.startswith(UNKNOWN[0])
    assert "five five five" in reply


async def test_not_knowing_again_is_worded_anew(visitor):
    replies = [await visitor.ask(q) for q in ("who won the world cup?", "tell me a joke", "who is the president?")]
    assert len(set(replies)) == 3


async def test_passages_below_the_threshold_are_never_told():
    weak = Passage("w", "price", "It costs a fortune.", 0.34, "fact")
    assert "fortune" not in await told(request("what does it cost", [weak]))


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("Hello!", "Hello, this is Robin at Riverside Vet Clinic."),
        ("hi Robin", "Hello, this is Robin"),
        ("Good morning", "Hello, this is Robin"),
        ("How are you?", "All is well"),
        ("Thank you very much.", "You're welcome."),
        ("okay thanks bye", "Thank you for talking"),
        ("no that's all", "Thank you for talking"),
        ("okay", "All right."),
        ("never mind", "All right."),
        ("Who am I speaking with?", "I'm Robin, the automated assistant"),
        ("what is your name", "I'm Robin, the automated assistant"),
        ("what can you do", "I answer questions about Riverside Vet Clinic."),
        ("hold on", "Of course"),
        ("", "I'm sorry, I didn't catch that."),
        ("...", "I'm sorry, I didn't catch that."),
    ],
)
async def test_small_talk_is_answered_in_kind(visitor, said, reply):
    assert (await visitor.ask(said)).startswith(reply)


@pytest.mark.parametrize(
    "said", ["are you a robot", "Are you a real person?", "am i talking to a human", "is this a computer"]
)
async def test_it_never_passes_itself_off_as_a_person(visitor, said):
    assert "I'm a computer, not a person." in await visitor.ask(said)


async def test_a_greeting_before_a_question_does_not_swallow_it(visitor):
    assert await visitor.ask("hello, are you open on saturday?") == SATURDAY


@pytest.mark.parametrize("said", ["what?", "Pardon?", "can you repeat that please", "I didn't catch that"])
async def test_the_last_reply_is_repeated_on_request(visitor, said):
    await visitor.ask("how much is a check up")
    assert await visitor.ask(said) == "A check-up costs forty dollars."


async def test_there_is_nothing_to_repeat_at_first(visitor):
    assert "haven't said anything" in await visitor.ask("what?")


QUESTION_WORDS = st.sampled_from(
    "what when where how much is are do you the a my and open close price cost cat dog visit operation vaccination"
    " bring saturday bitcoin moon hello thanks bye who robot it that on , . ?".split()
)


@given(st.lists(QUESTION_WORDS, max_size=12).map(" ".join) | st.text(max_size=60), st.lists(QUESTION_WORDS, max_size=5))
async def test_every_sentence_told_was_written_by_the_tenant_or_is_a_fixed_phrase(question, earlier):
    """It never invents: no sentence is made of pieces, none is changed."""
    passages = RETRIEVER.search(VET, question_in_context(question, [" ".join(earlier)]))
    reply = await told(request(question, passages, [Message("assistant", SATURDAY)]))
    allowed = {SATURDAY, *(sentence for p in passages for sentence in SENTENCE_END.split(p.text))}
    for phrase in (*FIXED, *UNKNOWN, ASK_ELSE, REST_UNKNOWN):
        said = phrase.replace("{assistant}", VET.assistant_name).replace("{business}", VET.tenant_name)
        allowed.update(SENTENCE_END.split(said))
    assert reply
    assert set(SENTENCE_END.split(reply)) <= allowed
