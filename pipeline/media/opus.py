"""PCM to Opus and from one sample rate to another."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

import av

from pipeline.media import libopus
from pipeline.media.edges import FRAME_SAMPLES, VOICE_RATE_HZ

log = logging.getLogger(__name__)

BIT_RATE = 32_000
COMPLEXITY = 5
"""Chosen by measurement, with `lowdelay`, mono and 24 kHz: docs/media.md."""
AV_OPTIONS = {
    "application": "lowdelay",
    "frame_duration": "20",
    "compression_level": str(COMPLEXITY),
    "vbr": "constrained",
}


class Encoder(Protocol):
    """One session's Opus encoder. It keeps state between packets, so one for each track."""

    def encode(self, pcm: bytes) -> bytes:
        """One frame (20 ms, 24 kHz mono s16le) as one Opus packet."""
        ...


def encoder() -> Encoder:
    """libopus itself where it can be found, else through av, at twice the cost."""
    try:
        return libopus.Encoder(VOICE_RATE_HZ, BIT_RATE, COMPLEXITY)
    except OSError as error:
        log.warning("%s: sound is encoded through av", error)
        return AvEncoder()


class AvEncoder:
    """The same through FFmpeg."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("libopus", "w")
        codec.bit_rate = BIT_RATE
        codec.format = av.AudioFormat("s16")
        codec.layout = av.AudioLayout("mono")
        codec.sample_rate = VOICE_RATE_HZ
        codec.time_base = Fraction(1, VOICE_RATE_HZ)
        codec.options = AV_OPTIONS
        self._codec = codec
        self._samples = 0

    def encode(self, pcm: bytes) -> bytes:
        frame = audio_frame(pcm, VOICE_RATE_HZ)
        frame.pts = self._samples
        frame.time_base = Fraction(1, VOICE_RATE_HZ)
        self._samples += FRAME_SAMPLES
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class Resampler:
    """Mono s16le of any rate to mono s16le of `rate_hz`, streaming: no seam between one call and the next."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._from_hz = 0
        self._resampler: av.AudioResampler | None = None

    def feed(self, pcm: bytes, rate_hz: int) -> bytes:
        """What is ready of the sound so far; about 1 ms stays behind until the next call or `rest()`."""
        ready = b""
        if rate_hz != self._from_hz:
            ready = self.rest()
            self._from_hz = rate_hz
        if rate_hz == self._rate_hz:
            return ready + pcm
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate_hz)
        return ready + b"".join(_pcm(self._resampler.resample(audio_frame(pcm, rate_hz))))

    def rest(self) -> bytes:
        """The sound is over: its last millisecond. The next `feed` begins a new one."""
        resampler, self._resampler, self._from_hz = self._resampler, None, 0
        return b"".join(_pcm(resampler.resample(None))) if resampler else b""


class Downmix:
    """Decoded frames of any rate and layout to mono s16le of `rate_hz`, streaming."""

    def __init__(self, rate_hz: int) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)

    def feed(self, frame: av.AudioFrame) -> bytes:
        return b"".join(_pcm(self._resampler.resample(frame)))


def audio_frame(pcm: bytes, rate_hz: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.sample_rate = rate_hz
    frame.planes[0].update(pcm)
    return frame


def _pcm(frames: list[av.AudioFrame]) -> Iterator[bytes]:
    """Planes are padded for alignment: the sound is the first `samples` of them."""
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * 2]
