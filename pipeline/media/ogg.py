"""A call as a file: Ogg with Opus in it (RFC 3533, RFC 7845), the visitor left and the assistant right.

Each second of sound is a page of its own and goes to the operating system at once: a file whose writer was killed is
short of a second or two and plays all the same.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pipeline.contracts.errors import MediaError
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.media.edges import FRAME_BYTES, VOICE_RATE_HZ
from pipeline.media.opus import Resampler

BIT_RATE = 48_000
"""22 MB an hour; at 32 kbit/s each side is faintly heard on the other. With `audio` and complexity 0 a frame costs
32 µs, with `voip` three times that (docs/media.md)."""
_ENCODER = {"application": "audio", "frame_duration": "20", "compression_level": "0", "vbr": "on"}
_MUXER = {"page_duration": "1000000", "flush_packets": "1"}


class OggFile:
    """Blocks (encoding, disk): for a thread. Not safe for two at a time."""

    def __init__(self, path: Path) -> None:
        """The file is made with the first sound."""
        self._file = av.open(str(path), "w", format="ogg", container_options=_MUXER)
        self._audio = self._file.add_stream("libopus", rate=VOICE_RATE_HZ, options=_ENCODER)
        self._audio.layout, self._audio.format, self._audio.bit_rate = "stereo", "s16", BIT_RATE
        self._resamplers = (Resampler(VOICE_RATE_HZ), Resampler(VOICE_RATE_HZ))
        self._sides = (bytearray(), bytearray())
        self._samples = 0

    def write(self, visitor: bytes, agent: bytes, agent_hz: int) -> None:
        """As long a piece of both, mono s16le; the visitor's of EAR_RATE_HZ. Raises av.FFmpegError."""
        heard = ((visitor, EAR_RATE_HZ), (agent, agent_hz))
        for side, resampler, (pcm, rate_hz) in zip(self._sides, self._resamplers, heard, strict=True):
            side += resampler.feed(pcm, rate_hz)
        size = min(map(len, self._sides)) // FRAME_BYTES * FRAME_BYTES
        left, right = (np.frombuffer(bytes(side[:size]), "<i2") for side in self._sides)
        for side in self._sides:
            del side[:size]
        if size:
            self._encode(np.stack((left, right), axis=1))

    def _encode(self, both: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]") -> None:
        """Whole frames; av cuts them apart."""
        frame = av.AudioFrame(format="s16", layout="stereo", samples=len(both))
        frame.planes[0].update(both.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = VOICE_RATE_HZ, self._samples, Fraction(1, VOICE_RATE_HZ)
        self._samples += len(both)
        for packet in self._audio.encode(frame):
            self._file.mux(packet)

    def close(self) -> None:
        """Raises av.FFmpegError when the rest does not go onto the disk."""
        try:
            for packet in self._audio.encode(None):
                self._file.mux(packet)
        finally:
            self._file.close()


def length_ms(path: Path) -> int:
    """Of the sound in such a file, also of one whose writer was killed. Raises MediaError when there is none."""
    try:
        with av.open(str(path)) as file:
            return int((file.duration or 0) / 1000)
    except av.FFmpegError as error:
        raise MediaError(f"{path.name} holds no sound: {error}") from error
