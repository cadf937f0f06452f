"""Log-mel spectrograms as Whisper takes them, in numpy.

Written from the description in "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al. 2022,
section 2.2) and from the conventions that its published code is known for: Hann window of 25 ms each 10 ms, ends
mirrored, power spectrum, 80 mel bands of Slaney's Auditory Toolbox with equal area, log10 with a floor 8 below the
largest value, then (x + 4) / 4. The last frame is left out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.numbers import EAR_RATE_HZ

WINDOW: Final = 400
HOP: Final = 160
BANDS: Final = 80
_FLOOR: Final = 1e-10
_BELOW_MAX: Final = 8.0
_BATCH: Final = 16
"""Frames worked on at a time: few enough that the matrix product is not spread over threads, which on a busy machine
wait for one another longer than they work (4 ms against 30)."""

Floats = NDArray[np.float32]


def log_mel(sound: Floats) -> Floats:
    """(BANDS, samples // HOP) of 16 kHz mono sound of at least one window."""
    mirrored = np.pad(sound, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, WINDOW)[::HOP][: len(sound) // HOP]
    power = np.empty((BANDS, len(frames)), np.float32)
    for start in range(0, len(frames), _BATCH):
        spectrum = np.fft.rfft(frames[start : start + _BATCH] * _HANN)
        power[:, start : start + _BATCH] = _MEL @ (spectrum.real**2 + spectrum.imag**2).T
    logs = np.log10(np.maximum(power, _FLOOR))
    return (np.maximum(logs, logs.max() - _BELOW_MAX) + 4) / 4


def standardised(sound: Floats) -> Floats:
    """Mean 0, variance 1."""
    return ((sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)).astype(np.float32)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney: linear below 1 kHz (15 mel), then 27 mel for each factor of 6.4."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _triangles() -> Floats:
    """(BANDS, WINDOW // 2 + 1): each band's triangle over the spectrum, of area 1 in Hz."""
    top = 15 + 27 * np.log(EAR_RATE_HZ / 2 / 1000) / np.log(6.4)
    edges = _mel_to_hz(np.linspace(0, top, BANDS + 2))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = np.arange(WINDOW // 2 + 1) * EAR_RATE_HZ / WINDOW
    rise, fall = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return (np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)).astype(np.float32)


_HANN: Final = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
_MEL: Final = _triangles()
