import asyncio
import threading

import pytest

from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines.faster_whisper_asr import BYTES_PER_S, UTTERANCE_LIMIT_S, Desk, FasterWhisperAsr, WhisperHearing
from tests.pipeline.engines.tiny_whisper import make_tiny_whisper
from tests.speech import pieces, spoken

SPEC = AssistantSpec("t", "Clinic", "a", "reception", "Robin", "Hello.", "Be kind.")
SECOND = bytes(BYTES_PER_S)


class Reader:
    """Stands where Whisper stands: waits until it may go on, and says how many seconds it was given."""

    def __init__(self):
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, pcm, prompt):
        self.may_go_on.wait()
        return Transcript(f"{len(pcm) // BYTES_PER_S} seconds")


@pytest.fixture
async def reader():
    return Reader()


@pytest.fixture
async def desk(reader):
    desk = Desk(1, reader)
    yield desk
    reader.may_go_on.set()
    await desk.close()


async def test_a_model_on_disk_is_loaded_and_reads_an_utterance(tmp_path):
    engine = FasterWhisperAsr(model=str(make_tiny_whisper(tmp_path)))
    await engine.start()
    hearing = await engine.open(SPEC)
    for piece in pieces(spoken("Hello there")):
        hearing.feed(piece)
    transcript = await hearing.finish()
    assert transcript.text
    assert 0 < transcript.confidence <= 1
    assert await hearing.finish() == Transcript("", 0.0)
    await hearing.close()
    await engine.close()


async def test_weights_that_are_not_there_are_an_engine_error(tmp_path):
    with pytest.raises(EngineError, match="not on disk"):
        await FasterWhisperAsr(model=str(tmp_path / "nothing")).start()


async def test_a_truncated_model_is_an_engine_error_and_leaves_nothing_behind(tmp_path):
    weights = make_tiny_whisper(tmp_path) / "model.bin"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(EngineError, match="cannot be loaded"):
        await FasterWhisperAsr(model=str(tmp_path)).start()


async def test_an_engine_that_was_not_started_says_so():
    with pytest.raises(EngineError, match="not been started"):
        await FasterWhisperAsr().open(SPEC)


async def test_each_second_of_sound_is_looked_at_while_reading_is_quick(desk):
    hearing = WhisperHearing(desk, "")
    hearing.feed(SECOND)
    await hearing._look
    assert hearing.partial == "1 seconds"
    assert (await hearing.finish()).text == "1 seconds"
    assert hearing.partial == ""


async def test_nothing_is_looked_at_while_somebody_waits(desk, reader):
    reader.may_go_on.clear()
    waiting = asyncio.create_task(desk.read(SECOND, ""))
    await asyncio.sleep(0)
    hearing = WhisperHearing(desk, "")
    hearing.feed(SECOND)
    assert hearing._look is None
    reader.may_go_on.set()
    await waiting


async def test_a_discarded_utterance_is_forgotten_with_its_partial(desk):
    hearing = WhisperHearing(desk, "")
    hearing.feed(SECOND)
    hearing.discard()
    assert hearing.partial == ""
    assert await hearing.finish() == Transcript("", 0.0)


async def test_what_was_said_so_far_is_read_once_and_the_utterance_goes_on(desk, reader):
    hearing = WhisperHearing(desk, "")
    assert await hearing.so_far() == Transcript("", 0.0)
    hearing.feed(SECOND)
    assert (await hearing.so_far()).text == "1 seconds"
    reader.may_go_on.clear()  # whoever asks the desk now waits for ever
    assert (await hearing.so_far()).text == "1 seconds"
    reader.may_go_on.set()
    hearing.feed(SECOND)
    assert (await hearing.so_far()).text == "2 seconds"
    reader.may_go_on.clear()
    assert (await hearing.finish()).text == "2 seconds"
    assert await hearing.so_far() == Transcript("", 0.0)
    await hearing.close()


async def test_a_reading_that_comes_after_its_utterance_is_not_taken_for_the_next_ones(desk, reader):
    hearing = WhisperHearing(desk, "")
    hearing.feed(SECOND)
    reader.may_go_on.clear()
    asked = asyncio.create_task(hearing.so_far())
    await asyncio.sleep(0)
    hearing.discard()
    hearing.feed(SECOND + SECOND)
    reader.may_go_on.set()
    assert (await asked).text == "1 seconds"
    assert (await hearing.so_far()).text == "2 seconds"
    await hearing.close()


async def test_too_many_waiting_utterances_are_refused(desk, reader):
    reader.may_go_on.clear()
    waiting = [asyncio.create_task(desk.read(SECOND, "")) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(EngineError, match="too much"):
        await desk.read(SECOND, "")
    reader.may_go_on.set()
    await asyncio.gather(*waiting)


async def test_an_endless_utterance_is_cut(desk):
    hearing = WhisperHearing(desk, "")
    for _ in range(UTTERANCE_LIMIT_S + 5):
        hearing.feed(SECOND)
    assert (await hearing.finish()).text == f"{UTTERANCE_LIMIT_S} seconds"


async def test_a_failing_model_is_an_engine_error():
    def fail(pcm, prompt):
        raise RuntimeError("out of memory")

    desk = Desk(1, fail)
    with pytest.raises(EngineError, match="out of memory"):
        await desk.read(SECOND, "")
    await desk.close()
