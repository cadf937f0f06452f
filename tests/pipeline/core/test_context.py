"""What a prompt holds over a long conversation: never too much, the same beginning, and nothing forgotten silently."""

import asyncio
import json

from pipeline.contracts.dialogue import Passage
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import CONTEXT_TOKENS, MAX_REPLY_TOKENS, ROLLOVER_TOKENS
from pipeline.core.context import KNOWLEDGE_TOKENS
from pipeline.core.conversation import STATE_HEAD, pinned_prefix
from pipeline.core.thinking import ONE_MOMENT
from pipeline.core.tokens import PROMPT_TOKENS
from pipeline.engines.extract import extract
from pipeline.engines.scripted import ScriptedLanguage
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeLanguage
from tests.fakes.talk import LONG, REPLY, Talk, length


class Extracting(FakeLanguage):
    """Replies as the fake does, summarises as the embedded engines do."""

    async def summarise(self, messages):
        await super().summarise(messages)
        return extract(messages)


def states(talk: Talk) -> list[str]:
    return [m.content for m in talk.requests[-1].messages if m.content.startswith(STATE_HEAD)]


# A long conversation ------------------------------------------------------------------------------------------------


async def test_two_hundred_turns_stay_under_the_cap_keep_their_beginning_and_remember_how_it_began() -> None:
    clock = FakeClock()
    talk = Talk(Extracting(clock), clock=clock)
    await talk.ask("My dog is called Bella and she is seven.")
    for turn in range(200):
        assert await talk.ask(f"Question {turn}: {LONG}") == REPLY
    prefix = pinned_prefix(talk.spec)
    assert all(request.messages[: len(prefix)] == prefix for request in talk.requests)
    assert max(map(length, talk.requests)) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS
    assert max(talk.meter.prompts) < ROLLOVER_TOKENS
    assert talk.meter.rollovers.count("done") == len(talk.meter.rollovers) > 5
    assert len(states(talk)) == 1
    assert "Bella" in states(talk)[0]
    assert len(talk.conversation.lines) < 60
    assert not talk.tasks


async def test_between_two_rollovers_a_prompt_begins_with_the_one_before() -> None:
    """Up to the visitor's last words, which carry this turn's knowledge: what a prefix cache can use."""
    talk = Talk()
    for turn in range(60):
        await talk.ask(f"{turn} {LONG}")
    changed = 0
    for before, after in zip(talk.requests, talk.requests[1:], strict=False):
        kept = before.messages[:-1]
        if after.messages[: len(kept)] == kept:
            continue
        changed += 1
        assert after.messages[0] == before.messages[0]
        assert after.messages[1].content.startswith(STATE_HEAD)
    assert changed == talk.meter.rollovers.count("done") > 1


async def test_after_a_rollover_the_last_turns_are_still_there_word_for_word() -> None:
    talk = Talk()
    said = []
    while "done" not in talk.meter.rollovers:
        said.append(f"{len(said)} {LONG}".strip())
        await talk.ask(said[-1])
    sent = [message.content for message in talk.requests[-1].messages if message.role == "user"]
    assert sent[0] == f"{STATE_HEAD}Summary 1."
    assert sent[1:] == said[-len(sent[1:]) :]
    assert len(sent) > 5


async def test_the_block_is_prepared_before_it_is_needed_so_that_no_reply_waits() -> None:
    talk = Talk()
    while not talk.language.summarised:
        await talk.ask(LONG)
    assert talk.meter.rollovers == []
    assert talk.context.tokens(talk.spec) < ROLLOVER_TOKENS
    while "done" not in talk.meter.rollovers:
        await talk.ask(LONG, waits_s=0.051)  # the engine's own 50 ms and nothing on top


async def test_a_summary_carries_on_the_summary_before_it() -> None:
    talk = Talk()
    while len(talk.language.summarised) < 2:
        await talk.ask(LONG)
    assert talk.language.summarised[0][0].role == "user"
    assert (talk.language.summarised[1][0].role, talk.language.summarised[1][0].content) == ("system", "Summary 1.")


async def test_a_scripted_engine_and_a_receptionist_summarise_without_a_model() -> None:
    language = ScriptedLanguage(replies=["Noted."])
    assert "Bella" in await language.summarise(Talk(history=[["user", "My dog is called Bella."]]).conversation.lines)
    assert await language.count(["some text"]) is None


# Resumed on another worker ------------------------------------------------------------------------------------------


async def test_a_long_history_handed_over_is_rolled_over_before_anybody_speaks() -> None:
    talk = Talk(history=[["user", f"{n} {LONG}"] if n % 2 == 0 else ["assistant", REPLY] for n in range(300)])
    talk.resume()
    await talk.clock.advance(5.0)
    assert talk.context.tokens(talk.spec) < ROLLOVER_TOKENS
    assert await talk.ask("Are you open?", waits_s=0.051) == REPLY
    assert length(talk.requests[-1]) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS


async def test_a_visitor_who_speaks_at_once_after_a_handover_waits_for_the_rollover_and_is_answered() -> None:
    talk = Talk(history=[["user", LONG], ["assistant", REPLY]] * 60)
    talk.resume()
    assert await talk.ask("Are you open?", waits_s=4.9) == f"{ONE_MOMENT} {REPLY}"


# Counting -----------------------------------------------------------------------------------------------------------


async def test_the_models_own_counts_take_the_place_of_the_estimates() -> None:
    talk = Talk()
    talk.language.counts = True
    talk.conversation.visitor_said("one two three")
    by_estimate = talk.context.tokens(talk.spec)
    talk.resume()
    await talk.clock.advance(0.1)
    words = len(pinned_prefix(talk.spec)[0].content.split()) + 3
    assert talk.context.tokens(talk.spec) == PROMPT_TOKENS + words + 2 * 8 < by_estimate


async def test_with_real_counts_a_rollover_comes_later() -> None:
    rollovers = []
    for counts in (False, True):
        talk = Talk()
        talk.language.counts = counts
        for _ in range(60):
            await talk.ask(LONG)
        rollovers.append(talk.meter.rollovers.count("done"))
    assert rollovers[0] > rollovers[1] > 0


class Unable(FakeLanguage):
    async def count(self, texts):
        raise EngineError("llm", "the server is gone")


async def test_where_counting_fails_the_estimates_stay() -> None:
    clock = FakeClock()
    talk = Talk(Unable(clock), clock=clock)
    for _ in range(40):
        assert await talk.ask(LONG) == REPLY
    assert "done" in talk.meter.rollovers


async def test_a_model_that_takes_less_has_a_smaller_budget() -> None:
    clock = FakeClock()
    talk = Talk(FakeLanguage(clock, context_tokens=4096), clock=clock)
    for _ in range(60):
        assert await talk.ask(LONG) == REPLY
    assert max(map(length, talk.requests)) + MAX_REPLY_TOKENS <= 4096


# Knowledge and speculation ------------------------------------------------------------------------------------------


async def test_knowledge_that_does_not_fit_is_left_out_worst_first() -> None:
    page = Passage("d1", "Terms", "We do what we say. " * 1000, 0.9, "document")
    hours = Passage("f1", "hours", "We are open.", 0.8, "fact")
    talk = Talk(passages=[page, hours])
    await talk.ask("Are you open?")
    assert talk.requests[-1].passages == (hours,)
    assert talk.meter.prompts[-1] <= length(talk.requests[-1]) + talk.context.budget.knowledge + KNOWLEDGE_TOKENS


async def test_a_speculative_reply_sees_words_that_are_not_in_the_conversation_and_leaves_none_there() -> None:
    talk = Talk()
    await talk.ask("Are you open?")
    thought = asyncio.create_task(talk.think("And on Sunday?", speculative=True))
    await talk.clock.advance(0.1)
    assert await thought == REPLY
    request = talk.requests[-1]
    assert request.speculative
    assert request.messages[-1].content == request.question == "And on Sunday?"
    assert [line.content for line in talk.conversation.lines] == ["Are you open?", REPLY]


async def test_pending_words_join_those_that_were_left_unanswered() -> None:
    talk = Talk(history=[["user", "Hello"], ["assistant", "Good day."], ["user", "I have a dog."]])
    messages = talk.conversation.messages(talk.spec, "Can I bring her?")
    assert messages[-1].content == talk.conversation.unanswered("Can I bring her?") == "I have a dog. Can I bring her?"
    assert talk.conversation.questions("Can I bring her?")[-1] == "Can I bring her?"


async def test_the_way_to_word_a_reply_changes_nothing_before_the_visitors_last_words() -> None:
    talk = Talk()
    await talk.ask("Are you open?")
    for _ in range(6):
        talk.scos.interrupted()
    await talk.ask("Are you open?")
    plain, terse = talk.requests
    assert plain.style == ""
    assert "short" in terse.style
    assert terse.messages[: len(plain.messages)] == plain.messages
    assert not any(terse.style in message.content for message in terse.messages)


async def test_the_prompt_as_it_is_sent_begins_with_the_same_bytes_turn_after_turn() -> None:
    talk = Talk()
    for turn in range(20):
        await talk.ask(f"Question {turn}?")
    sent = [json.dumps([[m.role, m.content] for m in request.messages]) for request in talk.requests]
    pinned = json.dumps([[m.role, m.content] for m in pinned_prefix(talk.spec)])[:-1]
    assert all(body.startswith(pinned) for body in sent)
