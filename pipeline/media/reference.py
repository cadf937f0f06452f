"""What went out of late, for telling our own echo from a visitor's voice."""

from collections import deque

from pipeline.media.edges import FRAME_BYTES, FRAME_SAMPLES, VOICE_RATE_HZ

KEPT_S = 1.0
KEPT_FRAMES = round(KEPT_S * VOICE_RATE_HZ / FRAME_SAMPLES) + 1


class Reference:
    """The frames themselves, with their positions (samples since the line's first): nothing is copied until asked."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=KEPT_FRAMES)

    def add(self, position: int, pcm: bytes) -> None:
        self._frames.append((position, pcm))

    def until(self, end: int, samples: int) -> bytes:
        """So many samples that end at the position `end`; silence where nothing went out."""
        out, begin = bytearray(samples * 2), end - samples
        for position, pcm in self._frames:
            at = (position - begin) * 2
            if -FRAME_BYTES < at < samples * 2:
                out[max(0, at) : at + FRAME_BYTES] = pcm[max(0, -at) : samples * 2 - at]
        return bytes(out)
