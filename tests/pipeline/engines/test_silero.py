import asyncio
from pathlib import Path

import faster_whisper.utils
import numpy as np
import onnxruntime
import pytest

from pipeline.contracts.errors import EngineError
from pipeline.engines.silero import MODEL_FILE, SileroVad, batched
from tests.speech import pieces, spoken

WINDOW = 512
SILENCE = bytes(WINDOW * 2)
QUESTION = "What are your opening hours on Saturday?"


async def alone(vad: SileroVad, pcm: bytes) -> list[float]:
    stream = vad.open()
    return [await stream.probability(window) for window in pieces(pcm, WINDOW)]


@pytest.fixture
async def vad():
    engine = SileroVad()
    await engine.start()
    yield engine
    await engine.close()


async def test_speech_is_heard_as_speech_and_silence_as_silence(vad):
    probabilities = await alone(vad, spoken(QUESTION, lead_s=0.5, tail_s=0.5))
    assert max(probabilities[:10]) < 0.3
    assert np.mean([p > 0.5 for p in probabilities[18:-22]]) > 0.9
    assert probabilities[-1] < 0.3


async def test_sessions_asked_together_get_what_each_gets_alone(vad):
    sounds = [pieces(spoken(QUESTION, voice), WINDOW)[:40] for voice in ("slt", "rms", "kal")]
    streams = [vad.open() for _ in sounds]
    together = [
        await asyncio.gather(*(s.probability(w) for s, w in zip(streams, windows, strict=True)))
        for windows in zip(*sounds, strict=True)
    ]
    for number, windows in enumerate(sounds):
        np.testing.assert_allclose([row[number] for row in together], await alone(vad, b"".join(windows)), atol=1e-4)


async def test_sessions_asked_in_the_same_turn_of_the_loop_share_one_call(vad):
    session, calls = vad._session, []

    class Counting:
        def run(self, outputs, inputs):
            calls.append(len(inputs["input"]))
            return session.run(outputs, inputs)

    vad._session = Counting()
    await asyncio.gather(*(vad.open().probability(SILENCE) for _ in range(5)))
    assert calls == [5]


async def test_the_changed_graph_says_what_the_wheels_own_graph_says(vad):
    path = Path(faster_whisper.utils.get_assets_path(), MODEL_FILE)
    original = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pcm = spoken(QUESTION)
    context, state, expected = np.zeros(64, np.float32), [np.zeros((1, 1, 128), np.float32)] * 2, []
    for window in pieces(pcm, WINDOW):
        samples = np.frombuffer(window, "<i2").astype(np.float32) / 32768
        sound = np.concatenate((context, samples))[None]
        probability, *state = original.run(None, {"input": sound, "h": state[0], "c": state[1]})
        context = samples[-64:]
        expected.append(float(probability[0]))
    np.testing.assert_allclose(await alone(vad, pcm), expected, atol=1e-4)


async def test_one_that_gives_up_waiting_does_not_disturb_the_others(vad):
    leaving = asyncio.ensure_future(vad.open().probability(SILENCE))
    staying = asyncio.ensure_future(vad.open().probability(SILENCE))
    await asyncio.sleep(0)
    leaving.cancel()
    assert 0 <= await staying <= 1


@pytest.mark.parametrize("window", [b"", bytes(1023), bytes(640)])
async def test_a_window_of_another_size_is_refused(vad, window):
    with pytest.raises(EngineError, match="1024 bytes"):
        await vad.open().probability(window)


async def test_an_engine_that_was_not_started_says_so():
    with pytest.raises(EngineError, match="not been started"):
        await SileroVad().open().probability(SILENCE)


def test_a_graph_of_another_form_is_refused():
    with pytest.raises(EngineError, match="another form"):
        batched(b"not the graph we know")
