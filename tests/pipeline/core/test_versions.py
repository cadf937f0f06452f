"""A session comes to a newly published version without a pause, or stays with the one it has."""

from tests.fakes.call import a_call
from tests.fakes.machine import a_spec
from tests.pipeline.core.test_session import QUESTION, ask, running


async def test_versions_published_in_a_row_end_with_the_newest_and_one_recogniser() -> None:
    call = await a_call([QUESTION] * 2)
    async with running(call):
        for i in range(5):
            call.session.swap(a_spec(persona=f"You are number {i}."))
        await call.hush(1000)
        await ask(call)
        await call.hush(4000)
    assert call.language.requests[0].messages[0].content.startswith("You are number 4.")
    assert all(hearing.is_closed for hearing in call.asr.opened)


async def test_a_version_that_cannot_be_learnt_leaves_the_call_as_it_is() -> None:
    call = await a_call([QUESTION])
    call.asr.fails = True
    async with running(call) as task:
        call.session.swap(a_spec(persona="New."))
        await call.hush(1000)
        await ask(call)
        await call.hush(4000)
        assert not task.done()
    assert call.journal.turns()[0].reply_text == call.language.reply_text
    assert call.meter.failures == ["version"]


async def test_a_recogniser_is_not_taken_away_while_it_makes_out_the_last_words() -> None:
    call = await a_call([QUESTION])
    call.asr.opened[0]._delay_s = 1.0
    async with running(call):
        await ask(call)
        assert call.line is not None
        call.line.on_control({"type": "stop"})
        call.session.swap(a_spec(persona="New."))
        await call.hush(500)
        assert not call.asr.opened[0].is_closed
        await call.hush(2000)
        assert call.asr.opened[0].is_closed
    assert call.journal.turns()[0].visitor_text == QUESTION


async def test_a_session_that_ends_while_it_learns_closes_both_recognisers() -> None:
    call = await a_call([QUESTION])
    async with running(call):
        await call.say(500)
        call.session.swap(a_spec(persona="New."))
        await call.say(500)
        assert len(call.asr.opened) == 2
    assert all(hearing.is_closed for hearing in call.asr.opened)
