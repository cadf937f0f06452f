"""Whoever is attached to a line's microphone, in tests of whole calls."""

import asyncio


def loud(pcm: bytes) -> bool:
    return max(map(abs, memoryview(pcm).cast("h"))) > 1000


class Ear:
    """Whoever is attached to a line's microphone."""

    def __init__(self, peer) -> None:
        self.sounds, self.ended, self._changed = [], False, asyncio.Event()
        peer.microphone.attach(self._hear, self._end)

    def _hear(self, sound) -> None:
        self.sounds.append(sound)
        self._changed.set()

    def _end(self) -> None:
        self.ended = True
        self._changed.set()

    async def until(self, condition) -> None:
        async with asyncio.timeout(15):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def loud(self) -> list:
        return [sound for sound in self.sounds if loud(sound.pcm)]
