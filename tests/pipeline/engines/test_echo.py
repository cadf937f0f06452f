"""Our own voice, delayed, filtered and quieter, is told from a visitor's. Real speech (flite)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.echo import LIKE
from pipeline.engines.echo import CorrelationEcho
from tests.speech import spoken

RATE = 16_000
OURS = "We are open on Saturdays from nine until two."
THEIRS = "Wait, what is your telephone number?"


def sound(text: str, voice: str) -> NDArray[np.float32]:
    return np.frombuffer(spoken(text, voice, lead_s=0.0, tail_s=0.0), "<i2").astype(np.float32)


def pcm(samples: NDArray[np.float32]) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def through_a_room(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A loudspeaker without bass, two reflections, a fifth of the level and some noise."""
    thin = samples - np.convolve(samples, np.ones(32) / 32, "same")
    echoes = thin + 0.4 * np.roll(thin, 90) + 0.2 * np.roll(thin, 410)
    return 0.2 * echoes + np.random.default_rng(1).normal(0, 30, len(samples))


def likeness(heard: NDArray[np.float32], delay_ms: int, at_s: float) -> float:
    """What the microphone brings at `at_s`, compared with what was sent until then."""
    ours = sound(OURS, "slt")
    now, delay = int(at_s * RATE), delay_ms * RATE // 1000
    latest = heard[now - delay - 2560 : now - delay]
    return CorrelationEcho().likeness(pcm(latest), pcm(ours[max(0, now - 10_560) : now]), RATE)


@pytest.mark.parametrize("delay_ms", [0, 60, 150, 300, 450])
@pytest.mark.parametrize("at_s", [0.9, 1.4, 1.9])
def test_an_echo_is_alike_whatever_its_way(delay_ms: int, at_s: float) -> None:
    assert likeness(through_a_room(sound(OURS, "slt")), delay_ms, at_s) >= LIKE


@pytest.mark.parametrize("voice", ["rms", "awb", "kal", "slt"])
@pytest.mark.parametrize("at_s", [0.6, 0.9, 1.2, 1.5])
def test_somebody_else_is_not(voice: str, at_s: float) -> None:
    assert likeness(sound(THEIRS, voice), 0, at_s) < LIKE


@pytest.mark.parametrize("at_s", [1.2, 1.5])
def test_somebody_who_speaks_over_the_echo_is_not(at_s: float) -> None:
    theirs = sound(THEIRS, "rms")
    both = through_a_room(sound(OURS, "slt"))[: len(theirs)]
    assert likeness(theirs[: len(both)] + both, 0, at_s) < LIKE


def test_silence_is_no_echo_and_any_rate_will_do() -> None:
    ours = sound(OURS, "slt")
    detector = CorrelationEcho()
    assert detector.likeness(bytes(5120), pcm(ours), RATE) == 0.0
    assert detector.likeness(pcm(ours[:2560]), bytes(20_000), RATE) == 0.0
    assert detector.likeness(b"", b"", RATE) == 0.0
    tripled = np.repeat(ours[20_000:30_560], 3)
    assert detector.likeness(pcm(ours[25_000:27_560]), pcm(tripled), 48_000) > 0.9
