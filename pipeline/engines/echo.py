"""Is what the microphone hears what we have just said? Normalised cross-correlation against the sound we sent.

Both are brought to 4 kHz (speech's strongest band; a loudspeaker, a room and a codec change the rest) and
differentiated once, so that the spectrum's slope does not make all voices alike. The likeness is the largest
correlation over all delays: 1 for a pure echo, less by the share of whoever speaks as well.
Source: normalised cross-correlation, J. P. Lewis, "Fast Normalized Cross-Correlation", 1995.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.numbers import EAR_RATE_HZ

RATE_HZ: Final = 4_000
QUIET: Final = 20.0
"""Root mean square (of 32768) below which there is nothing to compare."""

Floats = NDArray[np.float32]


class CorrelationEcho:
    """See `core.ports.EchoDetector`."""

    def likeness(self, heard: bytes, reference: bytes, reference_hz: int) -> float:
        a, b = _band(heard, EAR_RATE_HZ), _band(reference, reference_hz)
        if len(a) < 64 or len(b) < len(a) or _rms(a) < QUIET or _rms(b) < QUIET:
            return 0.0
        size = 1 << (len(a) + len(b) - 1).bit_length()
        products = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
        sums = np.concatenate(([0.0], np.cumsum(np.square(b, dtype=np.float64))))
        powers = sums[len(a) :] - sums[: -len(a)]
        loud = powers > len(a) * QUIET**2
        if not loud.any():
            return 0.0
        strength = np.abs(products[loud]) / np.sqrt(powers[loud] * float(np.square(a, dtype=np.float64).sum()))
        return float(min(strength.max(), 1.0))


def _band(pcm: bytes, rate_hz: int) -> Floats:
    """At RATE_HZ, each sample the mean of those it stands for; then the difference from one to the next."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
    step = max(1, rate_hz // RATE_HZ)
    whole = samples[len(samples) % step :].reshape(-1, step).mean(axis=1)
    return np.diff(whole).astype(np.float32) if len(whole) > 1 else whole


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
