"""What is remembered, and the prompt made of it."""

from pipeline.core.conversation import KEPT_LINES, WINDOW_MESSAGES, Conversation, pinned_prefix
from tests.fakes.machine import a_spec


def test_the_pinned_prefix_is_the_same_bytes_in_every_turn() -> None:
    spec, conversation = a_spec(), Conversation()
    seen = set()
    for i in range(50):
        conversation.visitor_said(f"question {i}")
        seen.add(conversation.messages(spec)[0].content.encode())
        conversation.agent_told(f"answer {i}")
    assert seen == {pinned_prefix(spec).content.encode()}


def test_roles_alternate_whatever_was_interrupted() -> None:
    conversation = Conversation([["user", "hello"]])
    conversation.visitor_said("are you there")
    conversation.agent_told("")
    conversation.visitor_said("hello?")
    messages = conversation.messages(a_spec())
    assert [m.role for m in messages] == ["system", "user"]
    assert conversation.unanswered() == "hello are you there hello?"


def test_a_long_conversation_sends_its_newest_lines() -> None:
    conversation = Conversation()
    for i in range(200):
        conversation.visitor_said(f"q{i}")
        conversation.agent_told(f"a{i}")
    messages = conversation.messages(a_spec())
    assert len(messages) == WINDOW_MESSAGES + 1
    assert messages[-1].content == "a199"


def test_the_visitor_speaks_first_in_the_prompt() -> None:
    conversation = Conversation()
    conversation.agent_told("Hello, Riverside Vet Clinic.")
    conversation.visitor_said("are you open?")
    assert [m.role for m in conversation.messages(a_spec())] == ["system", "user"]


def test_an_hour_of_talk_is_not_kept_for_ever() -> None:
    conversation = Conversation()
    for i in range(5000):
        conversation.visitor_said(f"q{i}")
        conversation.agent_told(f"a{i}")
    assert len(conversation.questions()) == KEPT_LINES // 2
