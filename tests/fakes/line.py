"""A visitor's connection on a fake clock: what is pushed in is heard, what is played passes in fake time."""

from collections.abc import Callable
from typing import Any

from pipeline.contracts.audio import Sound
from pipeline.core.stream import Stream
from tests.fakes.clock import FakeClock


class FakeMicrophone:
    def __init__(self) -> None:
        self._on_sound: Callable[[Sound], None] = lambda sound: None
        self._on_end: Callable[[], None] = lambda: None
        self._t_ms = 0.0

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        self._on_sound, self._on_end = on_sound, on_end

    def push(self, pcm: bytes) -> None:
        self._on_sound(Sound(pcm, self._t_ms))
        self._t_ms += 20

    def end(self) -> None:
        self._on_end()


class FakeSpeaker:
    """Plays in fake time; holds 300 ms. What was played goes back by REWIND_MS at a pause."""

    REWIND_MS = 60.0

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._queued_ms = 0.0
        self._played_ms = 0.0
        self._since: float | None = None
        """Clock seconds since when it plays; None: paused, flushed, or nothing yet."""
        self._begun = False
        self._on_first: Callable[[], None] = lambda: None
        self.flushed = self.paused = self.resumed = 0
        self.log: list[tuple[str, int]] = []
        """What was done, with the reply it was done to: begin, play, flush."""
        self._reply = 0
        self.echo = b""

    def begin(self, reply: int, on_first_packet: Callable[[], None]) -> None:
        self._reply, self._on_first = reply, on_first_packet
        self.log.append(("begin", reply))
        self._queued_ms = self._played_ms = 0.0
        self._since, self._begun = None, False

    async def play(self, pcm: bytes, rate_hz: int) -> None:
        self.log.append(("play", self._reply))
        self._queued_ms += len(pcm) / 2 / rate_hz * 1000
        if not self._begun:
            self._begun, self._since = True, self._clock.now()
            self._on_first()
        while self._queued_ms - self.played_ms > 300:
            await self._clock.sleep(0.02)

    async def drain(self) -> None:
        while self.played_ms < self._queued_ms - 1e-6:
            await self._clock.sleep(0.02 if self._since is None else (self._queued_ms - self.played_ms) / 1000)

    @property
    def sounded(self) -> list[int]:
        """Replies whose sound went out, a number for each call of `play`."""
        return [reply for what, reply in self.log if what == "play"]

    def flush(self) -> float:
        self._played_ms, self._since = self.played_ms, None
        self._queued_ms = self._played_ms
        self.flushed += 1
        self.log.append(("flush", self._reply))
        return self._played_ms

    def pause(self) -> float:
        self._played_ms, self._since = max(0.0, self.played_ms - self.REWIND_MS), None
        self.paused += 1
        return self._played_ms

    def resume(self) -> None:
        self._since = self._clock.now()
        self.resumed += 1

    def reference(self, seconds: float) -> tuple[bytes, int]:
        return self.echo, 16_000

    @property
    def played_ms(self) -> float:
        if self._since is None:
            return self._played_ms
        return min(self._queued_ms, self._played_ms + (self._clock.now() - self._since) * 1000)


class FakeLine:
    def __init__(self, clock: FakeClock) -> None:
        self.microphone = FakeMicrophone()
        self.speaker = FakeSpeaker(clock)
        self.on_control: Callable[[dict[str, Any]], None] = lambda message: None
        self.told: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.candidates: list[str] = []
        self.is_closed = False
        self.last_heard = clock.now()
        self._end: Stream[str] = Stream(1)

    def control(self, message: dict[str, Any]) -> bool:
        self.told.append(message)
        return True

    def face(self, message: dict[str, Any]) -> bool:
        self.frames.append(message)
        return True

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        self.candidates.append(candidate)

    async def closed(self) -> str:
        return await self._end.get()

    def break_off(self, reason: str = "failed") -> None:
        self._end.offer(reason)

    async def close(self) -> None:
        self.is_closed = True

    def stats(self) -> dict[str, float]:
        return {}
