"""Smart Turn v3 with its real weights, which the wheel of pipecat-ai carries; its features against upstream's own."""

import asyncio
import importlib.util

import huggingface_hub
import numpy as np
import pytest

from benchmarks.pauses.wheel import smart_turn_files
from pipeline.contracts.errors import EngineError
from pipeline.core.ports import Pause
from pipeline.engines import smart_turn
from pipeline.engines.log_mel import log_mel
from pipeline.engines.smart_turn import WAITING_PER_WORKER, SmartTurn, features
from tests.speech import spoken

SENTENCE = "I'd like to make an appointment for my dog."


@pytest.fixture(scope="session")
def wheel():
    """The weights, and upstream's feature extractor."""
    return smart_turn_files()


@pytest.fixture
async def engine(wheel):
    made = SmartTurn(model=str(wheel[0]))
    await made.start()
    yield made
    await made.close()


def upstream(wheel, sound):
    spec = importlib.util.spec_from_file_location("upstream_features", wheel[1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.compute_whisper_log_mel_features(sound, do_normalize=True)


@pytest.mark.parametrize("text", [SENTENCE, "Yes.", SENTENCE * 4])
def test_features_are_upstreams(wheel, text):
    pcm = spoken(text)
    sound = np.frombuffer(pcm, "<i2")[-128_000:].astype(np.float32) / 32768
    expected = upstream(wheel, np.pad(sound, (128_000 - len(sound), 0)))
    assert features(pcm).shape == (1, 80, 800)
    np.testing.assert_allclose(features(pcm)[0], expected, atol=1e-4)


def test_a_tone_lies_in_the_band_of_its_pitch():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    assert set(log_mel(tone)[:, 10:-10].argmax(axis=0)) == {26}


@pytest.mark.parametrize("pcm", [b"", b"\0", bytes(320_000)])
def test_no_sound_has_features_all_the_same(pcm):
    assert np.isfinite(features(pcm)).all()


async def test_a_decision_is_the_models_own(engine, wheel):
    pcm = spoken(SENTENCE)
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    expected = engine._session.run(
        None, {"input_features": upstream(wheel, np.pad(sound, (128_000 - len(sound), 0)))[None]}
    )[0]
    assert await engine.completeness(Pause(SENTENCE, pcm, 2000, 200)) == pytest.approx(float(expected[0][0]), abs=1e-3)


async def test_several_may_ask_at_once_and_too_many_are_refused(engine):
    pause = Pause("", spoken("Yes."), 300, 200)
    answers = await asyncio.gather(
        *(engine.completeness(pause) for _ in range(WAITING_PER_WORKER + 2)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, EngineError)]
    assert len(refused) == 2
    assert len({answer for answer in answers if isinstance(answer, float)}) == 1


async def test_an_engine_that_was_not_started_says_so():
    with pytest.raises(EngineError, match="not been started"):
        await SmartTurn(model="x").completeness(Pause("", b"", 0, 0))


async def test_a_file_that_is_no_model_is_an_engine_error(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not weights")
    with pytest.raises(EngineError, match="not a model"):
        await SmartTurn(model=str(tmp_path / "model.onnx")).start()


async def test_weights_that_cannot_be_fetched_are_an_engine_error(tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route to the hub")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    with pytest.raises(EngineError, match="cannot be fetched: no route"):
        await SmartTurn(models_dir=str(tmp_path)).start()


async def test_weights_in_the_models_folder_are_not_fetched(tmp_path, wheel, monkeypatch):
    (tmp_path / smart_turn.HUB_FILE).symlink_to(wheel[0])
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", None)
    engine = SmartTurn(models_dir=str(tmp_path))
    await engine.start()
    assert 0 <= await engine.completeness(Pause("", spoken("Yes."), 300, 200)) <= 1
    await engine.close()
