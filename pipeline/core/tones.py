"""Two short, soft sounds that are no words: "heard you", and "I'm listening"."""

import asyncio
import math
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.core.ports import Speaker

RATE_HZ: Final = EAR_RATE_HZ
LEVEL: Final = 5000
"""Peak; speech reaches four to six times that."""


def tone(notes: Sequence[tuple[float, int]]) -> bytes:
    """Notes of (Hz, ms), each swelling and fading like half a sine, as mono s16le at RATE_HZ."""
    samples = array("h")
    for hz, ms in notes:
        length = RATE_HZ * ms // 1000
        for i in range(length):
            swell = math.sin(math.pi * i / length)
            samples.append(int(LEVEL * swell * math.sin(2 * math.pi * hz * i / RATE_HZ)))
    return samples.tobytes()


ACKNOWLEDGE: Final = tone(((587.3, 90), (440.0, 120)))
"""D5, A4: falls. The turn was reset."""
LISTENING: Final = tone(((440.0, 90), (587.3, 120)))
"""A4, D5: rises. It is the visitor's turn."""


class Tones:
    """Of one session; silent without a speaker. `on_sound` is called when one goes out (the page unmutes)."""

    def __init__(self, speaker: Speaker | None, on_sound: Callable[[], None]) -> None:
        self._speaker = speaker
        self._on_sound = on_sound
        self._playing: asyncio.Task[None] | None = None

    def acknowledge(self) -> None:
        self._play(ACKNOWLEDGE)

    def listening(self) -> None:
        self._play(LISTENING)

    def _play(self, pcm: bytes) -> None:
        if self._speaker is not None:
            self.stop()
            self._playing = asyncio.create_task(self._sound(self._speaker, pcm), name="tone")

    async def _sound(self, speaker: Speaker, pcm: bytes) -> None:
        speaker.begin(-1, self._on_sound)
        await speaker.play(pcm, RATE_HZ)
        await speaker.drain()

    def stop(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None
