import asyncio
import json
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.dialogue import LanguageRequest, Message, Passage
from pipeline.contracts.errors import EngineError
from pipeline.engines.circuit import Circuit
from pipeline.engines.openai_language import OpenAiLanguage
from tests.fakes.language_server import scripted_server
from tests.llm_server import SET_UP_LIMIT_S, running_server

PREFIX = (Message("system", "You are Robin."), Message("user", "Hello"), Message("assistant", "Good day."))
SATURDAY = Passage("hours", "opening hours", "We are open until two.", 0.9, "fact")
PHONE = Passage("phone", "phone", "Call five five five.", 0.0, "fact")


def request(question="When do you open?", passages=(SATURDAY,), max_tokens=24):
    messages = (*PREFIX, Message("user", question))
    return LanguageRequest(messages, question, passages, 0.35, max_tokens, "s1", "Robin", "Riverside Vet Clinic")


async def text_of(engine, asked=None):
    return "".join([piece async for piece in engine.reply(asked or request())])


@asynccontextmanager
async def talking_to(*scripts, models=("tiny",), **options):
    """An engine and the scripted server it talks to."""
    async with scripted_server(*scripts, models=models) as server:
        engine = OpenAiLanguage(base_url=server.base_url, model="tiny", **options)
        try:
            yield engine, server
        finally:
            await engine.close()


async def well(asked):
    await asked.begin_stream()
    await asked.say("Good ")
    await asked.say("morning.", finish="stop")
    await asked.send("data: [DONE]\n\n")


async def error_500(asked):
    await asked.answer(500, {"error": {"message": "secret trace of You are Robin."}})


async def too_many(asked):
    await asked.answer(429, {"error": {"message": "slow down"}})


async def wrong_key(asked):
    await asked.answer(401, {"error": {"message": "bad key sk-123"}})


async def breaks_mid_stream(asked):
    await asked.begin_stream()
    await asked.say("Good ")
    await asked.send('data: {"error": {"message": "CUDA out of memory"}}\n\n')


async def hangs_up_mid_stream(asked):
    await asked.begin_stream()
    await asked.say("Good ")


async def never_says_anything(asked):
    await asked.hung_up()


async def says_nothing_of_worth(asked):
    await asked.begin_stream()
    await asked.say("", finish="stop")
    await asked.send("data: [DONE]\n\n")


# The real server ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def openai_server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("llm")) as server:
        yield server


@pytest.fixture
async def language(openai_server):
    engine = OpenAiLanguage(base_url=openai_server.base_url, model=openai_server.model)
    await engine.start()
    yield engine
    await engine.close()


@pytest.mark.slow
@pytest.mark.timeout(SET_UP_LIMIT_S)
async def test_a_real_server_streams_a_reply_in_pieces(language):
    pieces = [piece async for piece in language.reply(request())]
    assert len(pieces) > 1
    assert "".join(pieces).strip()


@pytest.mark.slow
@pytest.mark.timeout(SET_UP_LIMIT_S)
async def test_a_real_server_keeps_to_the_number_of_tokens(language):
    assert len([piece async for piece in language.reply(request(max_tokens=3))]) <= 3


@pytest.mark.slow
@pytest.mark.timeout(SET_UP_LIMIT_S)
async def test_aborted_replies_leave_a_real_server_free_for_the_next(language):
    for _ in range(5):
        async with aclosing(language.reply(request(max_tokens=2000))) as pieces:
            assert await anext(pieces)
    assert await text_of(language)


@pytest.mark.slow
@pytest.mark.timeout(SET_UP_LIMIT_S)
async def test_a_real_server_answers_several_sessions_at_once(language):
    assert all(await asyncio.gather(*(text_of(language, request(f"Question {n}?")) for n in range(4))))


# Servers that misbehave ---------------------------------------------------------------------------------------------


async def test_the_reply_comes_in_the_pieces_the_server_sends():
    async with talking_to(well) as (engine, _):
        assert [piece async for piece in engine.reply(request())] == ["Good ", "morning."]


async def test_the_messages_arrive_as_the_session_wrote_them_with_the_knowledge_in_the_last():
    async with talking_to(well) as (engine, server):
        await text_of(engine)
    sent = server.asked[0]
    assert sent["messages"][:3] == [{"role": m.role, "content": m.content} for m in PREFIX]
    assert SATURDAY.text in sent["messages"][3]["content"]
    assert sent["messages"][3]["content"].endswith("When do you open?")
    assert (sent["max_tokens"], sent["stream"], sent["model"]) == (24, True, "tiny")


async def test_closing_the_iterator_closes_the_stream_at_the_server():
    noticed = asyncio.Event()

    async def talks_on(asked):
        await asked.begin_stream()
        await asked.say("Good ")
        await asked.hung_up()
        noticed.set()

    async with talking_to(talks_on) as (engine, _):
        async with aclosing(engine.reply(request())) as pieces:
            assert await anext(pieces) == "Good "
        async with asyncio.timeout(5):
            await noticed.wait()


async def test_a_cancelled_turn_closes_the_stream_at_the_server_before_the_first_token():
    asked_for, noticed = asyncio.Event(), asyncio.Event()

    async def thinks_long(asked):
        asked_for.set()
        await asked.hung_up()
        noticed.set()

    async with talking_to(thinks_long) as (engine, _):
        turn = asyncio.create_task(text_of(engine))
        async with asyncio.timeout(5):
            await asked_for.wait()
            turn.cancel()
            await noticed.wait()
        with pytest.raises(asyncio.CancelledError):
            await turn


@pytest.mark.parametrize("trouble", [error_500, too_many, never_says_anything])
async def test_a_failure_before_the_first_token_is_tried_once_more(trouble):
    async def hangs_up(asked):
        await (asked.send("") if trouble is never_says_anything else trouble(asked))

    async with talking_to(hangs_up, well) as (engine, server):
        assert await text_of(engine) == "Good morning."
        assert len(server.asked) == 2


async def test_a_second_failure_is_the_end():
    async with talking_to(error_500) as (engine, server):
        with pytest.raises(EngineError, match="failed"):
            await text_of(engine)
        assert len(server.asked) == 2


@pytest.mark.parametrize("trouble", [breaks_mid_stream, hangs_up_mid_stream])
async def test_what_broke_off_after_the_first_token_is_never_said_twice(trouble):
    async with talking_to(trouble) as (engine, server):
        heard = []
        with pytest.raises(EngineError, match="breaks off"):
            async for piece in engine.reply(request()):
                heard += [piece]
        assert heard == ["Good "]
        assert len(server.asked) == 1


async def test_a_wrong_key_is_not_tried_again_and_said_in_words():
    async with talking_to(wrong_key) as (engine, server):
        with pytest.raises(EngineError, match="LLM_API_KEY"):
            await text_of(engine)
        assert len(server.asked) == 1


async def test_a_server_that_hangs_is_given_up_at_the_limit():
    async with talking_to(never_says_anything, stream_limit_s=0.05) as (engine, _):
        with pytest.raises(EngineError, match="in time"):
            await text_of(engine)


async def test_an_empty_reply_is_an_error_and_not_silence():
    async with talking_to(says_nothing_of_worth) as (engine, _):
        with pytest.raises(EngineError):
            await text_of(engine)


@pytest.mark.parametrize("trouble", [error_500, wrong_key, breaks_mid_stream])
async def test_errors_never_repeat_what_the_server_said(trouble):
    async with talking_to(trouble) as (engine, _):
        with pytest.raises(EngineError) as caught:
            await text_of(engine)
    assert not any(word in str(caught.value) for word in ("Robin", "sk-123", "CUDA"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda x: (
        st.lists(x)
        | st.dictionaries(st.sampled_from(["choices", "delta", "content", "finish_reason", "error", "message"]), x)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30) | JSON.map(json.dumps))
def test_a_malformed_stream_is_an_engine_error_and_nothing_else(line):
    async def talks_nonsense(asked):
        await asked.begin_stream()
        await asked.send(f"data: {line}\n\n")

    async def ask():
        async with talking_to(talks_nonsense) as (engine, _):
            with pytest.raises(EngineError):
                await text_of(engine)

    asyncio.run(ask())


async def test_after_several_failures_nobody_waits_for_the_server_until_it_has_rested():
    now = [0.0]
    async with talking_to(error_500, error_500, error_500, error_500, well) as (engine, server):
        engine._circuit = Circuit(failures=4, rest_s=5.0, now=lambda: now[0])
        for _ in range(2):
            with pytest.raises(EngineError):
                await text_of(engine)
        with pytest.raises(EngineError, match="rest"):
            await text_of(engine)
        assert len(server.asked) == 4
        now[0] = 6.0
        assert await text_of(engine) == "Good morning."


# Start --------------------------------------------------------------------------------------------------------------


async def test_start_takes_the_first_model_where_none_is_set():
    async with scripted_server(well, models=("one", "two")) as server:
        engine = OpenAiLanguage(base_url=server.base_url)
        await engine.start()
        await text_of(engine)
        await engine.close()
    assert server.asked[0]["model"] == "one"


async def test_start_names_the_models_there_are_when_ours_is_not_among_them():
    async with talking_to(well, models=("one", "two")) as (engine, _):
        with pytest.raises(EngineError, match="LLM_MODEL to one of: one, two"):
            await engine.start()


async def test_start_says_that_nobody_listens_there(unused_tcp_port):
    engine = OpenAiLanguage(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")
    with pytest.raises(EngineError, match="cannot be reached.*LLM_BASE_URL"):
        await engine.start()
    await engine.close()
