"""How a stretch of speech sounds at its end: pitch, loudness and length of its last 600 ms. Pure numpy, about 1 ms.

What is measured is what phonetics names for the ends of utterances: final lowering of pitch (or the rise of a
question), falling loudness, lengthening of the last syllable. Pitch is the best peak of the normalised
autocorrelation (after Boersma 1993).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.numbers import EAR_RATE_HZ

HOP: Final = EAR_RATE_HZ // 100
"""10 ms."""
FRAME: Final = EAR_RATE_HZ // 25
"""40 ms: two periods of the lowest voice."""
SPAN_S: Final = 0.6
LOUD_DB: Final = 25.0
"""Below the loudest of the span: no speech."""
PITCH_HZ: Final = (70, 350)
VOICED: Final = 0.5
"""Normalised autocorrelation at the pitch period; below, there is no voice in it."""
_LONGEST_SILENCE_S: Final = 1.0
HEARD_S: Final = SPAN_S + _LONGEST_SILENCE_S
"""What is looked at of a turn's sound, its end."""

# Pitch is looked for at half the rate: 8 kHz.
_SHORTEST: Final = EAR_RATE_HZ // 2 // PITCH_HZ[1]
_LONGEST: Final = EAR_RATE_HZ // 2 // PITCH_HZ[0]
_WINDOW: Final = np.hanning(FRAME // 2)
_OWN: Final = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, FRAME)) ** 2)[: FRAME // 2] / np.sum(_WINDOW**2)
"""The window's own autocorrelation, which the sound's is divided by."""

_OCTAVES: Final = 0.05 * np.log2(np.arange(_SHORTEST, _LONGEST) / _SHORTEST)
"""Of equal peaks the shortest period is the pitch: a small price for each octave down (Boersma's octave cost)."""

Floats = NDArray[np.floating]


class Ending(NamedTuple):
    """Of the last 600 ms of speech; all 0 where there is too little voice to tell."""

    pitch: float
    """Semitones by which the last 150 ms of voice lie above what comes before."""
    level: float
    """dB by which the last 100 ms of speech lie above what comes before."""
    stretch: float
    """Seconds of the last unbroken run of voice."""


FLAT: Final = Ending(0.0, 0.0, 0.0)


def ending(pcm: bytes) -> Ending:
    """`pcm`: 16 kHz mono s16le, with the silence at its end."""
    wanted = int(HEARD_S * EAR_RATE_HZ)
    sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")[-wanted:].astype(np.float32)
    if len(sound) < FRAME * 2:
        return FLAT
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    level = 10 * np.log10(np.einsum("ij,ij->i", frames, frames) / FRAME + 1.0)
    loud = np.flatnonzero(level > level.max() - LOUD_DB)
    span = slice(max(0, int(loud[-1]) + 1 - int(SPAN_S * 100)), int(loud[-1]) + 1)
    pitch = _pitch(frames[span])
    return Ending(_final_pitch(pitch), _final_level(level[span]), _last_run(pitch) / 100)


def _pitch(frames: Floats) -> Floats:
    """In semitones above 1 Hz; 0 where there is no voice."""
    spectrum = np.fft.rfft(frames[:, ::2] * _WINDOW, 2 * len(_WINDOW))
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, :_LONGEST]
    normalised = correlation[:, _SHORTEST:] / (correlation[:, :1] * _OWN[_SHORTEST:_LONGEST] + 1.0)
    best = (normalised - _OCTAVES).argmax(axis=1)
    voiced = normalised[np.arange(len(best)), best] > VOICED
    return np.where(voiced, 12 * np.log2(EAR_RATE_HZ / 2 / (best + _SHORTEST)), 0.0)


def _final_pitch(pitch: Floats) -> float:
    voiced = pitch[pitch > 0]
    if len(voiced) < 20:
        return 0.0
    return float(np.clip(np.median(voiced[-15:]) - np.median(voiced[:-15]), -12, 12))


def _final_level(level: Floats) -> float:
    return float(level[-10:].mean() - level[:-10].mean()) if len(level) > 20 else 0.0


def _last_run(pitch: Floats) -> int:
    """Frames of the last unbroken run of voice; a gap of one frame breaks nothing."""
    voiced = np.flatnonzero(pitch > 0)
    if not len(voiced):
        return 0
    breaks = np.flatnonzero(np.diff(voiced) > 2)
    return int(voiced[-1] - voiced[breaks[-1] + 1 if len(breaks) else 0] + 1)
