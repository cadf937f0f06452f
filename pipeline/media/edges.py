"""Soft edges, so that sound neither starts nor stops with a click. Frames are 20 ms of 24 kHz mono s16le."""

from array import array

from pipeline.contracts import packets
from pipeline.contracts.numbers import OVERLAP_MS, PACKET_MS

VOICE_RATE_HZ = packets.VOICE_RATE_HZ
"""Sample rate of everything on its way out. Voices have 16 to 24 kHz; Opus takes it as it is."""
FRAME_SAMPLES = VOICE_RATE_HZ * PACKET_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
SILENCE = bytes(FRAME_BYTES)
OVERLAP_BYTES = VOICE_RATE_HZ * OVERLAP_MS // 1000 * 2
FADE_SAMPLES = VOICE_RATE_HZ * 4 // 1000
"""4 ms: too short to be heard as a fade, long enough that the step makes no click."""


def fade_in(pcm: bytes) -> bytes:
    """The same frame, rising from silence over its first 4 ms."""
    samples = array("h", pcm)
    for i in range(min(FADE_SAMPLES, len(samples))):
        samples[i] = samples[i] * i // FADE_SAMPLES
    return samples.tobytes()


def ease_out(last: int) -> bytes:
    """A silent frame that begins where the sound before it ended (`last`, its last sample) and eases to zero."""
    samples = array("h", SILENCE)
    for i in range(FADE_SAMPLES):
        samples[i] = last * (FADE_SAMPLES - 1 - i) // FADE_SAMPLES
    return samples.tobytes()


def last_sample(pcm: bytes) -> int:
    return int.from_bytes(pcm[-2:], "little", signed=True)
