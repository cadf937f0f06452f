"""A context that is full, a summary that fails or is late, and any conversation at all."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.dialogue import Usage
from pipeline.contracts.numbers import CONTEXT_TOKENS, MAX_REPLY_TOKENS, ROLLOVER_TOKENS
from pipeline.core.conversation import pinned_prefix
from pipeline.core.thinking import CANNOT_ANSWER, CONTEXT_FULL, ONE_MOMENT, TOO_LONG
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeLanguage
from tests.fakes.talk import LONG, REPLY, Talk, length


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
    assert reply == f"{ONE_MOMENT} {CONTEXT_FULL}"
    refusal = talk.exchanges[-1].refusal
    assert refusal is not None
    assert refusal.code == "context_full"
    assert "context" in talk.meter.failures
    assert max(map(length, talk.requests)) + MAX_REPLY_TOKENS <= CONTEXT_TOKENS
    talk.language.summary_fails = False
    assert (await talk.ask("And now?", waits_s=1.0)).endswith(REPLY)
    assert talk.exchanges[-1].refusal is None


async def test_a_summary_that_takes_more_than_five_seconds_is_given_up() -> None:
    talk = Talk()
    talk.language.summary_delay_s = 60.0
    while (reply := await talk.ask(LONG, waits_s=5.1, pause_s=0.0)) == REPLY:
        pass
    assert reply == f"{ONE_MOMENT} {CONTEXT_FULL}"
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


async def test_a_question_that_no_rollover_can_help_is_refused_at_once() -> None:
    talk = Talk(history=[["user", LONG], ["assistant", REPLY]] * 20)
    assert await talk.ask("a " * 9000, waits_s=0.0) == TOO_LONG
    draft = asyncio.create_task(talk.think("a " * 9000, speculative=True))
    await talk.clock.advance(0.0)
    assert await draft == TOO_LONG


async def test_a_draft_of_a_long_question_that_fits_is_answered() -> None:
    talk = Talk()
    draft = asyncio.create_task(talk.think("a " * 5000, speculative=True))
    await talk.clock.advance(0.1)
    assert await draft == REPLY


async def test_a_long_question_takes_the_place_of_turns_that_would_otherwise_stay_word_for_word() -> None:
    talk = Talk(history=[["user", LONG], ["assistant", REPLY]] * 10)
    draft = asyncio.create_task(talk.think("a " * 5500, speculative=True))
    await talk.clock.advance(2.0)
    assert await draft == f"{ONE_MOMENT} {REPLY}"
    assert talk.meter.prompts[-1] + MAX_REPLY_TOKENS <= CONTEXT_TOKENS


async def test_one_long_question_does_not_crowd_the_rest_of_the_conversation() -> None:
    talk = Talk()
    await talk.ask("a " * 9000)
    await talk.ask("Are you open?", waits_s=3.0)
    before = len(talk.language.summarised)
    for _ in range(10):
        await talk.ask("Are you open?")
    assert len(talk.language.summarised) == before


class Finer(FakeLanguage):
    """Its tokens are smaller than anybody would have thought, and its server says so."""

    async def reply(self, request):
        async for piece in super().reply(request):
            yield piece
        request.on_usage(Usage(int(length(request) * 1.5), 0))


async def test_a_server_that_counts_more_than_was_reckoned_is_believed_from_then_on() -> None:
    clock = FakeClock()
    talk = Talk(Finer(clock), clock=clock)
    for _ in range(60):
        assert await talk.ask(LONG) == REPLY
    assert max(map(length, talk.requests)) * 1.5 + MAX_REPLY_TOKENS <= CONTEXT_TOKENS
    assert talk.meter.rollovers.count("done") > 3
    counted = [usage.prompt_tokens for usage, _ in talk.meter.usages]
    assert talk.meter.prompts[-1] * 1.01 > counted[-1]


async def test_a_failing_engine_is_still_a_spoken_apology() -> None:
    talk = Talk()
    talk.language.fails = True
    assert await talk.ask("Are you open?") == CANNOT_ANSWER
    assert talk.exchanges[-1].refusal is None


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
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
        assert reply.removeprefix(f"{ONE_MOMENT} ") in (REPLY, CONTEXT_FULL, TOO_LONG)
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
