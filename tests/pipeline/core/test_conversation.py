"""What is remembered, and the prompt made of it."""

from pipeline.core.conversation import KEPT_LINES, STATE_TAKEN, Conversation, pinned_prefix
from pipeline.core.tokens import MESSAGE_TOKENS, estimated_tokens
from tests.fakes.machine import a_spec


def test_the_pinned_prefix_is_the_same_bytes_in_every_turn() -> None:
    spec, conversation = a_spec(), Conversation()
    seen = set()
    for i in range(50):
        conversation.visitor_said(f"question {i}")
        seen.add(conversation.messages(spec)[0].content.encode())
        conversation.agent_told(f"answer {i}")
    assert seen == {pinned_prefix(spec)[0].content.encode()}


def test_roles_alternate_whatever_was_interrupted() -> None:
    conversation = Conversation([["user", "hello"]])
    conversation.visitor_said("are you there")
    conversation.agent_told("")
    conversation.visitor_said("hello?")
    messages = conversation.messages(a_spec())
    assert [m.role for m in messages] == ["system", "user"]
    assert conversation.unanswered() == "hello are you there hello?"


def test_all_lines_are_sent_until_they_are_rolled_over() -> None:
    conversation = Conversation()
    for i in range(100):
        conversation.visitor_said(f"q{i}")
        conversation.agent_told(f"a{i}")
    assert len(conversation.messages(a_spec())) == 201
    conversation.roll_over(190, "They talked about numbers.")
    prefix, state, taken, *lines = conversation.messages(a_spec())
    assert (prefix,) == pinned_prefix(a_spec())
    assert (state.role, taken.role, taken.content) == ("user", "assistant", STATE_TAKEN)
    assert "They talked about numbers." in state.content
    assert [line.content for line in lines] == [f"{who}{i}" for i in range(95, 100) for who in "qa"]


def test_the_sum_of_tokens_is_kept_true() -> None:
    conversation = Conversation([["user", "hello there"], ["assistant", "Good day."], ["user", ""]])
    first, second = conversation.lines
    conversation.recount(first, 2)
    assert (conversation.tokens, first.counted, second.counted) == (first.tokens + second.tokens, True, False)
    conversation.roll_over(1, "They greeted.")
    conversation.recount(first, 500)
    assert conversation.tokens == second.tokens


def test_the_visitor_speaks_first_in_the_prompt() -> None:
    conversation = Conversation()
    conversation.agent_told("Hello, Riverside Vet Clinic.")
    conversation.visitor_said("are you open?")
    assert [m.role for m in conversation.messages(a_spec())] == ["system", "user"]


def test_an_hour_of_talk_is_not_kept_for_ever(caplog) -> None:
    conversation = Conversation()
    for i in range(5000):
        conversation.visitor_said(f"q{i}")
        conversation.agent_told(f"a{i}")
    assert len(conversation.questions()) == KEPT_LINES // 2
    assert conversation.lost == 10_000 - KEPT_LINES
    assert [record.getMessage() for record in caplog.records].count(
        f"more than {KEPT_LINES} lines and no rollover: the oldest are dropped"
    ) == 1
    assert conversation.tokens == sum(line.tokens for line in conversation.lines)


def test_a_line_that_is_taken_back_counts_no_more() -> None:
    conversation = Conversation([["user", "hello"], ["assistant", "Good day."]])
    before = conversation.tokens
    conversation.visitor_said("I would like")
    conversation.take_back("something else")
    assert conversation.tokens > before
    conversation.take_back("I would like")
    assert (conversation.tokens, conversation.lines[-1].content) == (before, "Good day.")


def test_the_old_lines_of_a_long_history_count_no_less_than_they_have() -> None:
    history = [["user", f"Question {n}, und möchte ich wissen?"] for n in range(500)]
    for line in Conversation(history).lines:
        assert line.tokens >= estimated_tokens(line.content) + MESSAGE_TOKENS
