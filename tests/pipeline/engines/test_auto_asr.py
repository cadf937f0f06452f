import io

import pytest

from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines import weights
from pipeline.engines.auto_asr import AutoAsr
from tests.pipeline.engines.tiny_whisper import make_tiny_whisper

SPEC = AssistantSpec("t", "Clinic", "a", "reception", "Robin", "Hello.", "Be kind.")


@pytest.fixture(autouse=True)
def no_hub_cache(monkeypatch):
    monkeypatch.setattr(weights, "_cached", lambda model: None)


async def started(**options):
    """The engine's name after its start, and what it said."""
    out = io.StringIO()
    engine = AutoAsr(out=out, **options)
    try:
        await engine.start()
        return engine.name, out.getvalue()
    finally:
        await engine.close()


async def test_weights_on_disk_mean_faster_whisper(tmp_path):
    make_tiny_whisper(tmp_path / "base.en")
    name, said = await started(models_dir=str(tmp_path))
    assert name == "faster-whisper"
    assert "are on disk" in said


async def test_weights_that_can_be_fetched_are_fetched_with_a_bar(tmp_path):
    def fetch(model, models_dir, progress):
        progress(0, 140_000_000)
        progress(70_000_000, 140_000_000)
        return make_tiny_whisper(models_dir / model)

    name, said = await started(models_dir=str(tmp_path), reachable=lambda: True, fetch=fetch)
    assert name == "faster-whisper"
    assert "50% of 140 MB" in said


async def test_no_network_means_pocketsphinx_and_says_so(tmp_path):
    name, said = await started(models_dir=str(tmp_path), reachable=lambda: False)
    assert name == "pocketsphinx"
    assert "no network" in said
    assert "Pocketsphinx" in said


async def test_a_fetch_that_fails_means_pocketsphinx(tmp_path):
    def fetch(model, models_dir, progress):
        raise EngineError("asr", "the line went dead")

    name, said = await started(models_dir=str(tmp_path), reachable=lambda: True, fetch=fetch)
    assert name == "pocketsphinx"
    assert "the line went dead" in said


async def test_broken_weights_mean_pocketsphinx(tmp_path):
    folder = make_tiny_whisper(tmp_path / "base.en")
    (folder / "model.bin").write_bytes(b"not weights")
    name, said = await started(models_dir=str(tmp_path))
    assert name == "pocketsphinx"
    assert "cannot be loaded" in said


async def test_a_model_that_does_not_exist_means_pocketsphinx_without_asking_the_network(tmp_path):
    def reachable():
        raise AssertionError("nobody should ask")

    name, said = await started(model="gigantic", models_dir=str(tmp_path), reachable=reachable)
    assert name == "pocketsphinx"
    assert "no Whisper model 'gigantic'" in said


async def test_sessions_are_opened_at_the_chosen_engine(tmp_path):
    make_tiny_whisper(tmp_path / "base.en")
    engine = AutoAsr(models_dir=str(tmp_path), out=io.StringIO())
    with pytest.raises(EngineError, match="not been started"):
        await engine.open(SPEC)
    await engine.start()
    hearing = await engine.open(SPEC)
    assert (await hearing.finish()).text == ""
    await hearing.close()
    await engine.close()
