"""What a prompt holds over a long conversation: never too much, the same beginning, and nothing forgotten silently."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.dialogue import LanguageRequest, Passage
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import CONTEXT_TOKENS, MAX_REPLY_TOKENS, ROLLOVER_TOKENS
from pipeline.core.context import KNOWLEDGE_TOKENS
from pipeline.core.conversation import STATE_HEAD, pinned_prefix
from pipeline.core.thinking import CANNOT_ANSWER, CONTEXT_FULL, TOO_LONG
from pipeline.core.tokens import PROMPT_TOKENS, estimated_message_tokens
from pipeline.engines.extract import extract
from pipeline.engines.scripted import ScriptedLanguage
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeLanguage
from tests.fakes.talk import Talk

LONG = "My order has the number four seven eleven and it has not arrived at our house in the village. " * 8
"""Some 250 tokens by estimate."""
REPLY = "We are open on Saturdays from nine until two. Anything else?"


class Extracting(FakeLanguage):
    """Replies as the fake does, summarises as the embedded engines do."""

    async def summarise(self, messages):
        await super().summarise(messages)
        return extract(messages)


def length(request: LanguageRequest) -> int:
    return PROMPT_TOKENS + estimated_message_tokens(request.messages)


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


# When it does not work ----------------------------------------------------------------------------------------------


async def test_while_there_is_room_a_failed_summary_stops_nobody_and_is_tried_again() -> None:
    talk = Talk()
    talk.language.summary_fails = True
    while talk.context.tokens(talk.spec) < ROLLOVER_TOKENS - 300:
        assert await talk.ask(LONG) == REPLY
    assert set(talk.meter.rollovers) == {"failed"}
    talk.language.summary_fails = False
    await talk.ask("Are you open?")
    await talk.ask(LONG)
    assert await talk.ask(LONG) == REPLY
    assert talk.meter.rollovers[-1] == "done"


async def test_a_turn_that_would_not_fit_is_refused_in_words_and_the_one_after_the_repair_is_answered() -> None:
    talk = Talk()
    talk.language.summary_fails = True
    while (reply := await talk.ask(LONG, waits_s=0.5)) == REPLY:
        pass
    assert reply == CONTEXT_FULL
    refusal = talk.exchanges[-1].refusal
    assert refusal is not None
    assert refusal.code == "context_full"
    assert "context" in talk.meter.failures
    assert max(map(length, talk.requests)) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS
    talk.language.summary_fails = False
    assert await talk.ask("And now?", waits_s=1.0) == REPLY
    assert talk.exchanges[-1].refusal is None


async def test_a_summary_that_takes_more_than_five_seconds_is_given_up() -> None:
    talk = Talk()
    talk.language.summary_delay_s = 60.0
    while (reply := await talk.ask(LONG, waits_s=5.1, pause_s=0.0)) == REPLY:
        pass
    assert reply == CONTEXT_FULL
    assert "late" in talk.meter.rollovers
    await talk.close()


async def test_a_reply_that_is_cut_while_it_waits_leaves_the_rollover_to_go_on() -> None:
    talk = Talk(history=[["user", LONG], ["assistant", REPLY]] * 60)
    talk.conversation.visitor_said("Are you there?")
    waiting = asyncio.create_task(talk.think("Are you there?"))
    await talk.clock.advance(0.1)
    waiting.cancel()
    await talk.clock.advance(3.0)
    assert waiting.cancelled()
    assert "done" in talk.meter.rollovers
    assert await talk.ask("And now?") == REPLY


async def test_a_question_longer_than_the_context_is_refused_with_advice_and_does_not_stay_in_the_way() -> None:
    talk = Talk()
    assert await talk.ask("a " * 9000) == TOO_LONG
    assert talk.requests == []
    assert await talk.ask("Are you open?", waits_s=3.0) == REPLY
    assert length(talk.requests[-1]) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS


async def test_a_failing_engine_is_still_a_spoken_apology() -> None:
    talk = Talk()
    talk.language.fails = True
    assert await talk.ask("Are you open?") == CANNOT_ANSWER
    assert talk.exchanges[-1].refusal is None


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
    assert await talk.ask("Are you open?", waits_s=4.9) == REPLY


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


# Whatever comes -----------------------------------------------------------------------------------------------------

LINES = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 400), st.integers(1500, 2000), st.sampled_from([9000, 40_000])),
        st.sampled_from(["ok", "fails", "late", "endless"]),
    ),
    max_size=25,
)


@pytest.mark.slow
@given(LINES, st.sampled_from([600, 2048, 8192]), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_said_no_prompt_is_too_long_and_every_turn_has_a_reply(lines, takes, counts) -> None:
    asyncio.run(_any_conversation(lines, takes, counts))


async def _any_conversation(lines: list[tuple[int, str]], takes: int, counts: bool) -> None:
    clock = FakeClock()
    language = Wordy(clock, context_tokens=takes, counts=counts)
    talk = Talk(language, clock=clock)
    for chars, summaries in lines:
        language.summary_fails = summaries == "fails"
        language.summary_delay_s = 60.0 if summaries == "late" else 0.2
        language.endless = summaries == "endless"
        reply = await talk.ask(("words and so on " * (chars // 15 + 1))[:chars], waits_s=5.2, pause_s=0.5)
        assert reply in (REPLY, CONTEXT_FULL, TOO_LONG)
    prefix = pinned_prefix(talk.spec)
    for request, counted in zip(talk.requests, talk.meter.prompts, strict=True):
        assert request.messages[: len(prefix)] == prefix
        assert request.messages[-1].role == "user"
        assert counted + MAX_REPLY_TOKENS <= takes
        assert counts or length(request) <= counted
    roles = [message.role for request in talk.requests for message in request.messages[1:]]
    assert "system" not in roles
    assert talk.conversation.tokens == sum(line.tokens for line in talk.conversation.lines)
    await talk.close()


class Wordy(FakeLanguage):
    """Its summaries may be longer than anything that was asked for."""

    endless = False

    async def summarise(self, messages):
        summary = await super().summarise(messages)
        return summary * 5000 if self.endless else summary


async def test_the_prompt_as_it_is_sent_begins_with_the_same_bytes_turn_after_turn() -> None:
    talk = Talk()
    for turn in range(20):
        await talk.ask(f"Question {turn}?")
    sent = [json.dumps([[m.role, m.content] for m in request.messages]) for request in talk.requests]
    pinned = json.dumps([[m.role, m.content] for m in pinned_prefix(talk.spec)])[:-1]
    assert all(body.startswith(pinned) for body in sent)
