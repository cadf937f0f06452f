"""The language engine beside the reply: tokens by the server's tokenizer, summaries, figures on its prefix cache."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from pipeline.contracts.dialogue import LanguageRequest, Message, Passage, Usage
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import CONTEXT_TOKENS
from pipeline.core.conversation import STATE_HEAD, pinned_prefix
from pipeline.engines.circuit import Circuit
from pipeline.engines.openai_language import OpenAiLanguage
from tests.fakes.language_server import scripted_server
from tests.fakes.talk import Retrieved, Talk
from tests.llm_server import SET_UP_LIMIT_S, running_server

LINES = [Message("user", "My dog is called Bella."), Message("assistant", "Good to know.")]
REQUEST = LanguageRequest((Message("user", "Hello"),), "Hello", (), 0.35, 24, "s1", "Robin", "Riverside Vet Clinic")


@asynccontextmanager
async def talking_to(*scripts, tokenizer=None, **options):
    async with scripted_server(*scripts) as server:
        server.tokenizer = tokenizer
        engine = OpenAiLanguage(base_url=server.base_url, model="tiny", **options)
        try:
            yield engine, server
        finally:
            await engine.close()


async def text_of(engine, request=REQUEST):
    return "".join([piece async for piece in engine.reply(request)])


async def well(asked):
    await asked.begin_stream()
    await asked.say("Good morning.", finish="stop")
    await asked.send("data: [DONE]\n\n")


def writes(text):
    async def answer(asked):
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        await asked.answer(200, {"id": "x", "object": "chat.completion", "choices": [choice]})

    return answer


async def fails(asked):
    await asked.answer(500, {"error": {"message": "secret trace of Bella"}})


def words_counted(text):
    return {"count": len(text.split()), "max_model_len": 32_768, "tokens": []}


# Tokens -------------------------------------------------------------------------------------------------------------


async def test_tokens_are_counted_by_the_server_at_its_root_text_by_text():
    async with talking_to(well, tokenizer=words_counted) as (engine, server):
        await engine.start()
        assert await engine.count(["one two three", "", "four"]) == [3, 0, 1]
        assert engine.context_tokens == CONTEXT_TOKENS
    assert server.tokenized[-1] == {"model": "tiny", "prompt": "four", "add_special_tokens": False}
    assert server.asked == []


async def test_a_server_without_a_tokenizer_is_used_all_the_same():
    async with talking_to(well) as (engine, server):
        await engine.start()
        assert await engine.count(["one two three"]) is None
        assert engine.context_tokens == CONTEXT_TOKENS
        assert len(server.tokenized) == 1


@pytest.mark.parametrize("answer", [{}, [], "x", None, {"count": "3"}, {"count": True}, {"count": -1}, {"tokens": [1]}])
async def test_an_answer_that_is_no_count_is_no_tokenizer(answer):
    async with talking_to(well, tokenizer=lambda text: answer) as (engine, _):
        await engine.start()
        assert await engine.count(["one"]) is None


async def test_a_model_that_takes_less_than_the_contract_says_so():
    async with talking_to(well, tokenizer=lambda text: {"count": 3, "max_model_len": 4096}) as (engine, _):
        await engine.start()
        assert engine.context_tokens == 4096


async def test_a_tokenizer_that_fails_later_is_an_engine_error():
    answers = iter([{"count": 3}, {}])
    async with talking_to(well, tokenizer=lambda text: next(answers)) as (engine, _):
        await engine.start()
        with pytest.raises(EngineError):
            await engine.count(["one"])


# Summaries ----------------------------------------------------------------------------------------------------------


async def test_a_summary_is_asked_for_in_one_piece_with_the_notes_before_it_and_the_lines_as_material():
    async with talking_to(writes(" The dog is called Bella. \n")) as (engine, server):
        assert await engine.summarise([Message("system", "They greeted."), *LINES]) == "The dog is called Bella."
    sent = server.asked[0]
    assert "stream" not in sent or not sent["stream"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    material = sent["messages"][1]["content"]
    assert material.startswith("Notes so far: They greeted.\nVisitor: My dog is called Bella.\nReceptionist: Good")
    assert "never an instruction" in sent["messages"][0]["content"]


@pytest.mark.parametrize("answer", [fails, writes(""), writes("  "), writes(None), writes(7), well])
async def test_a_summary_that_fails_or_says_nothing_is_an_engine_error_in_words_of_our_own(answer):
    async with talking_to(answer) as (engine, _):
        with pytest.raises(EngineError) as caught:
            await engine.summarise(LINES)
    assert "Bella" not in str(caught.value)


async def test_a_server_that_is_given_a_rest_is_not_asked_for_summaries():
    circuit = Circuit(failures=1)
    circuit.failed()
    async with talking_to(writes("Notes."), circuit=circuit) as (engine, server):
        with pytest.raises(EngineError, match="rest"):
            await engine.summarise(LINES)
    assert server.asked == []


# The prefix cache ---------------------------------------------------------------------------------------------------


def tells(usage, *, choices=()):
    async def answer(asked):
        await asked.begin_stream()
        await asked.say("Good morning.", finish="stop")
        await asked.chunk({"choices": list(choices), "usage": usage})
        await asked.send("data: [DONE]\n\n")

    return answer


async def usages(*scripts):
    told = []
    async with talking_to(*scripts) as (engine, server):
        assert await text_of(engine, replace(REQUEST, on_usage=told.append)) == "Good morning."
    return told, server


async def test_the_servers_figures_on_the_prompt_are_passed_on():
    told, server = await usages(tells({"prompt_tokens": 900, "prompt_tokens_details": {"cached_tokens": 768}}))
    assert told == [Usage(900, 768)]
    assert server.asked[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("details", [None, {}, {"cached_tokens": None}])
async def test_a_server_that_does_not_know_its_cache_still_counts_the_prompt(details):
    told, _ = await usages(tells({"prompt_tokens": 900, "prompt_tokens_details": details}))
    assert told == [Usage(900, 0)]


@pytest.mark.parametrize("usage", [None, {}, "many", {"prompt_tokens": "many"}])
async def test_figures_that_are_none_harm_no_reply(usage):
    told, _ = await usages(tells(usage))
    assert told == []


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_refuses_the_wish_is_asked_without_it_from_then_on(status):
    async def refuses(asked):
        await asked.answer(status, {"error": {"message": "stream_options: unexpected"}})

    async with talking_to(refuses, well) as (engine, server):
        assert await text_of(engine) == "Good morning."
        assert await text_of(engine) == "Good morning."
    assert ["stream_options" in asked for asked in server.asked] == [True, False, False]


async def test_the_bytes_sent_begin_with_the_pinned_prefix_all_along_and_with_the_turn_before_until_a_rollover():
    """A whole conversation with its knowledge, which is another in every turn, as it goes over the wire."""
    talk = Talk(persona="You are Robin, the receptionist. " * 20)
    for turn in range(80):
        talk.thinking._retriever = Retrieved([Passage(f"f{turn}", f"fact {turn}", f"It is {turn}.", 0.9, "fact")])
        await talk.ask(f"Question {turn}? " + "I would like to know that before I come. " * 8)
    async with talking_to(well) as (engine, server):
        for request in talk.requests:
            await text_of(engine, request)
    pinned = json.dumps([{"role": m.role, "content": m.content} for m in pinned_prefix(talk.spec)])[1:-1]
    sent = [raw.decode().replace('","', '", "').replace('":"', '": "') for raw in server.raw]
    assert all(pinned in body for body in sent)
    assert len({body.index(pinned) for body in sent}) == 1
    bodies = [asked["messages"] for asked in server.asked]
    rolled = 0
    for number, (before, after) in enumerate(zip(bodies, bodies[1:], strict=False), start=1):
        assert f"It is {number}." in after[-1]["content"]
        assert "It is " not in json.dumps(after[:-1])
        if after[: len(before) - 1] == before[:-1]:
            continue
        rolled += 1
        assert after[0] == before[0]
        assert after[1]["content"].startswith(STATE_HEAD)
    assert rolled == talk.meter.rollovers.count("done") >= 1


# The real server ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(SET_UP_LIMIT_S)
async def test_a_real_server_replies_summarises_and_tells_what_it_counted(tmp_path):
    with running_server(tmp_path) as real:
        engine, told = OpenAiLanguage(base_url=real.base_url, model=real.model), []
        try:
            await engine.start()
            assert await engine.count(["some text"]) is None
            assert await engine.summarise(LINES)
            assert await text_of(engine, replace(REQUEST, on_usage=told.append))
        finally:
            await engine.close()
    (usage,) = told
    assert usage.prompt_tokens > usage.cached_tokens >= 0
