from pipeline.contracts.dialogue import LanguageRequest, Message, Passage
from pipeline.engines.grounding import grounded_messages

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
