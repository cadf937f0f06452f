import asyncio
import os
import signal
from pathlib import Path

import pytest

from benchmarks.demo_specs import demo_spec
from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines import language_model, version_models
from pipeline.engines.pocketsphinx_asr import PocketsphinxAsr
from pipeline.engines.pocketsphinx_child import IDLE_VERSIONS, Decoders, Recognition
from pipeline.engines.version_models import VersionModels
from tests.speech import pieces, spoken

SPEC = demo_spec("riverside-vet")
QUESTION = "What are your opening hours on Saturday?"
SILENCE = bytes(640)


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory):
    """A folder in which the demo version's model has been built."""
    folder = tmp_path_factory.mktemp("models")
    language_model.build(SPEC, folder)
    return str(folder)


@pytest.fixture
async def asr(models_dir):
    engine = PocketsphinxAsr(models_dir=models_dir)
    await engine.start()
    yield engine
    await engine.close()


async def say(hearing, text, voice="slt"):
    for piece in pieces(spoken(text, voice)):
        hearing.feed(piece)
        await asyncio.sleep(0)


async def test_a_visitors_question_comes_out_with_its_key_words(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    transcript = await hearing.finish()
    assert {"opening", "hours", "saturday"} <= set(transcript.text.split())
    assert 0 < transcript.confidence <= 1
    await hearing.close()


async def test_words_appear_while_somebody_still_speaks_and_go_with_the_utterance(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    async with asyncio.timeout(20):
        while "opening" not in hearing.partial:
            await asyncio.sleep(0.01)
    await hearing.finish()
    assert hearing.partial == ""
    await hearing.close()


async def test_utterance_follows_utterance(asr):
    hearing = await asr.open(SPEC)
    for text, key in (("Thank you.", "thank"), (QUESTION, "saturday"), ("Thank you.", "thank")):
        await say(hearing, text)
        assert key in (await hearing.finish()).text.split()
    await hearing.close()


async def test_sessions_that_speak_at_the_same_time_are_not_mixed_up(asr):
    first, second = await asr.open(SPEC), await asr.open(SPEC)
    for ours, theirs in zip(pieces(spoken(QUESTION)), pieces(spoken("Thank you very much.", tail_s=3)), strict=False):
        first.feed(ours)
        second.feed(theirs)
    heard = await asyncio.gather(first.finish(), second.finish())
    assert [transcript.text.split()[-1] for transcript in heard] == ["saturday", "much"]
    await asyncio.gather(first.close(), second.close())


async def test_what_was_said_so_far_is_known_in_a_pause_and_the_utterance_goes_on(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, "What are your opening hours")
    assert (await hearing.so_far()).text == "what are your opening hours"
    await say(hearing, "on Saturday?")
    assert (await hearing.so_far()).text == "what are your opening hours on saturday"
    transcript = await hearing.finish()
    assert transcript.text == "what are your opening hours on saturday"
    assert 0 < transcript.confidence <= 1
    await say(hearing, "Thank you.")
    assert (await hearing.finish()).text == "thank you"
    await hearing.close()


async def test_when_only_silence_follows_the_final_says_what_was_said_so_far(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    known = await hearing.so_far()
    for _ in range(30):
        hearing.feed(SILENCE)
    assert await hearing.so_far() == known
    assert (await hearing.finish()).text == known.text
    await hearing.close()


async def test_in_a_pause_the_words_are_also_told_as_if_more_were_to_come(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, "I would like to make an appointment for", "rms")
    known = await hearing.so_far()
    assert known.unended.split()[-3:] == ["an", "appointment", "for"]
    hearing.feed(SILENCE * 10)
    assert (await hearing.so_far()).unended == known.unended
    await hearing.close()


async def test_partials_go_on_from_what_was_said_before_the_pause(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, "What are your opening hours")
    await hearing.so_far()
    await say(hearing, "on Saturday?")
    async with asyncio.timeout(20):
        while "saturday" not in hearing.partial:
            await asyncio.sleep(0.01)
    assert hearing.partial.startswith("what are your opening hours")
    await hearing.close()


async def test_without_an_utterance_nothing_was_said_so_far(asr):
    hearing = await asr.open(SPEC)
    assert await hearing.so_far() == Transcript("", 0.0)
    hearing.feed(b"")
    assert await hearing.so_far() == Transcript("", 0.0)
    await hearing.close()


async def test_what_was_said_before_a_discard_is_not_said_so_far(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    await hearing.so_far()
    hearing.discard()
    await say(hearing, "Thank you.")
    assert (await hearing.so_far()).text == "thank you"
    await hearing.close()


async def test_the_recognisers_death_is_an_error_to_who_asks_what_was_said_so_far(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    os.kill(next(iter(asr._sessions)).pid, signal.SIGKILL)
    with pytest.raises(EngineError):
        await hearing.so_far()
    with pytest.raises(EngineError):
        await hearing.finish()
    await hearing.close()


async def test_no_sound_and_silence_and_a_click_are_nothing(asr):
    hearing = await asr.open(SPEC)
    assert (await hearing.finish()).text == ""
    for sound in ([SILENCE] * 50, [b"\0\0"], [b""]):
        for piece in sound:
            hearing.feed(piece)
        assert (await hearing.finish()).text == ""
    await hearing.close()


async def test_a_discarded_utterance_is_forgotten(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    hearing.discard()
    assert hearing.partial == ""
    await say(hearing, "Thank you.")
    assert (await hearing.finish()).text == "thank you"
    await hearing.close()


async def test_the_recognisers_death_is_an_error_once_and_the_next_utterance_is_heard(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    os.kill(next(iter(asr._sessions)).pid, signal.SIGKILL)
    with pytest.raises(EngineError):
        await hearing.finish()
    await say(hearing, "Thank you.")
    assert (await hearing.finish()).text == "thank you"
    await hearing.close()


async def test_a_death_in_the_middle_of_an_utterance_is_told_at_its_end(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    async with asyncio.timeout(20):
        while not hearing.partial:
            await asyncio.sleep(0.01)
    child = next(iter(asr._sessions))
    os.kill(child.pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while child.alive:
            await asyncio.sleep(0.01)
    hearing.feed(SILENCE)
    with pytest.raises(EngineError):
        await hearing.finish()
    assert await hearing.finish() == Transcript("", 0.0)
    await hearing.close()


async def test_a_session_may_be_closed_twice_and_in_the_middle_of_an_utterance(asr):
    hearing = await asr.open(SPEC)
    await say(hearing, QUESTION)
    await hearing.close()
    await hearing.close()
    assert list(asr._sessions.values()) == [0]


async def test_sessions_are_spread_over_the_processes(models_dir):
    engine = PocketsphinxAsr(processes=2, models_dir=models_dir)
    await engine.start()
    hearings = [await engine.open(SPEC) for _ in range(4)]
    assert list(engine._sessions.values()) == [2, 2]
    await asyncio.gather(*(hearing.close() for hearing in hearings))
    await engine.close()


async def test_an_engine_that_was_not_started_says_so():
    with pytest.raises(EngineError, match="not been started"):
        await PocketsphinxAsr().open(SPEC)


async def test_a_folder_that_cannot_be_written_is_an_engine_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="cannot be kept"):
        await PocketsphinxAsr(models_dir=str(tmp_path / "file" / "models")).start()


async def test_a_version_without_its_model_has_the_general_one_until_it_is_built(models_dir, monkeypatch):
    monkeypatch.setattr(version_models, "OPEN_WAIT_S", 0)
    models = VersionModels(Path(models_dir))
    spec = AssistantSpec("t", "Harbor Law", "a", "reception", "Sam", "Hello.", "Be kind.")
    await models.prepare(spec)
    assert models.files(spec.digest()) == language_model.general_files()
    await asyncio.gather(*models._builds.values())
    assert models.files(spec.digest()) == language_model.files_of(spec.digest(), Path(models_dir))
    await models.close()


async def test_a_model_that_cannot_be_built_leaves_the_general_one(tmp_path, caplog):
    folder = tmp_path / "models"
    models = VersionModels(folder)
    folder.rmdir()
    folder.touch()
    await models._build(SPEC)
    assert "the general one serves" in caplog.text


class FakeDecoder:
    def __init__(self, files):
        self.files = files

    def end_utt(self):
        """Nothing to end."""


def test_decoders_are_used_again_and_forgotten_when_too_many_versions_have_some():
    made = []

    def make(files):
        made.append(files)
        return FakeDecoder(files)

    decoders = Decoders(make)
    first = decoders.lease(("a", "d"))
    decoders.give_back(("a", "d"), first)
    assert decoders.lease(("a", "d")) is first
    decoders.give_back(("a", "d"), first)
    for number in range(IDLE_VERSIONS):
        decoders.give_back((str(number), "d"), FakeDecoder(number))
    assert decoders.lease(("a", "d")) is not first
    assert len(made) == 2


def test_an_item_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="recognition"):
        Recognition(Decoders(FakeDecoder), lambda item: True).receive(["sing"])
