import asyncio
from pathlib import Path

import faster_whisper.utils
import numpy as np
import onnxruntime
import pytest

from pipeline.contracts.errors import EngineError
from pipeline.engines.silero import MODEL_FILE, QUIET_WINDOWS, SileroVad, batched
from tests.speech import pieces, spoken

WINDOW = 512
SILENCE = bytes(WINDOW * 2)
QUESTION = "What are your opening hours on Saturday?"


class Ear:
    """A session as the VAD sees it: what it was told."""

    def __init__(self, vad: SileroVad) -> None:
        self.told: list[float] = []
        self.errors: list[EngineError] = []
        self.stream = vad.open(self.told.append, self.errors.append)

    async def hear(self, *windows: bytes) -> list[float]:
        """Feeds all at once and waits for as many answers."""
        before = len(self.told)
        for window in windows:
            self.stream.feed(window)
        async with asyncio.timeout(5):
            while len(self.told) < before + len(windows) and not self.errors:
                await asyncio.sleep(0)
        return self.told[before:]


async def alone(vad: SileroVad, pcm: bytes) -> list[float]:
    return await Ear(vad).hear(*pieces(pcm, WINDOW))


@pytest.fixture
async def vad():
    engine = SileroVad(quiet=0)
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
    ears = [Ear(vad) for _ in sounds]
    for windows in zip(*sounds, strict=True):
        await asyncio.gather(*(ear.hear(window) for ear, window in zip(ears, windows, strict=True)))
    for ear, windows in zip(ears, sounds, strict=True):
        np.testing.assert_allclose(ear.told, await alone(vad, b"".join(windows)), atol=1e-4)


@pytest.mark.parametrize("sessions", [3, 40])
async def test_sessions_that_ask_within_a_tick_share_one_call(vad, sessions):
    session, calls = vad._session, []

    class Counting:
        def run(self, outputs, inputs):
            calls.append(len(inputs["input"]))
            return session.run(outputs, inputs)

    vad._session = Counting()
    ears = [Ear(vad) for _ in range(sessions)]
    await asyncio.gather(*(ear.hear(SILENCE) for ear in ears))
    assert calls == [sessions]


async def test_a_session_that_comes_in_bursts_is_answered_in_order_and_holds_nobody_up(vad):
    windows = pieces(spoken(QUESTION), WINDOW)[:20]
    burst, steady = Ear(vad), Ear(vad)
    together, _ = await asyncio.gather(burst.hear(*windows), steady.hear(SILENCE))
    one_by_one = Ear(vad)
    for window in windows:
        await one_by_one.hear(window)
    np.testing.assert_allclose(together, one_by_one.told, atol=1e-4)


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


async def test_one_that_leaves_while_it_waits_hears_nothing_and_disturbs_nobody(vad):
    leaving, staying = Ear(vad), Ear(vad)
    leaving.stream.feed(SILENCE)
    leaving.stream.close()
    assert len(await staying.hear(SILENCE)) == 1
    assert leaving.told == []


@pytest.mark.parametrize("window", [b"", bytes(1023), bytes(640)])
async def test_a_window_of_another_size_is_refused_and_ends_the_stream(vad, window):
    ear = Ear(vad)
    await ear.hear(window)
    assert "1024 bytes" in str(ear.errors[0])
    ear.stream.feed(SILENCE)
    await Ear(vad).hear(SILENCE)
    assert ear.told == [] and len(ear.errors) == 1


async def test_an_engine_that_was_not_started_says_so_to_everybody_who_waits():
    vad = SileroVad()
    ears = [Ear(vad), Ear(vad)]
    await asyncio.gather(*(ear.hear(SILENCE) for ear in ears))
    assert ["not been started" in str(ear.errors[0]) for ear in ears] == [True, True]


def test_a_graph_of_another_form_is_refused():
    with pytest.raises(EngineError, match="another form"):
        batched(b"not the graph we know")


class Calls:
    """Counts what the model is asked."""

    def __init__(self, vad: SileroVad) -> None:
        self._session, self.windows = vad._session, 0
        vad._session = self

    def run(self, outputs, inputs):
        self.windows += len(inputs["input"])
        return self._session.run(outputs, inputs)


async def test_a_quiet_that_lasts_is_passed_over_and_speech_after_it_is_heard_as_ever():
    vad = SileroVad()
    await vad.start()
    calls, ear = Calls(vad), Ear(vad)
    assert await ear.hear(*[SILENCE] * 40) == [pytest.approx(0.0, abs=0.3)] * 40
    assert calls.windows == QUIET_WINDOWS
    after_quiet = await ear.hear(*pieces(spoken(QUESTION, lead_s=0.0), WINDOW)[:40])
    fresh = await Ear(vad).hear(*pieces(spoken(QUESTION, lead_s=0.0), WINDOW)[:40])
    assert [p > 0.5 for p in after_quiet].index(True) == [p > 0.5 for p in fresh].index(True)
    assert np.mean([(a > 0.5) == (b > 0.5) for a, b in zip(after_quiet, fresh, strict=True)]) > 0.95
    await vad.close()


async def test_a_room_with_a_little_noise_is_listened_to():
    vad = SileroVad()
    await vad.start()
    calls = Calls(vad)
    noise = np.random.default_rng(1).normal(0, 40, WINDOW * 20).astype("<i2").tobytes()
    await Ear(vad).hear(*pieces(noise, WINDOW))
    assert calls.windows == 20
    await vad.close()
