"""The face gives way to the voice."""

import asyncio

from pipeline.core.clock import SessionClock
from pipeline.core.facing import YIELD_S, Facing
from tests.fakes.clock import FakeClock, settle
from tests.fakes.line import FakeLine
from tests.fakes.machine import FakeFace, FakeLoad, FakePublisher
from tests.fakes.meter import FakeMeter


class LateClock(FakeClock):
    """Every sleep lasts this much longer: a loop that has too much to do."""

    late_s = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + self.late_s)


class Stage:
    def __init__(self) -> None:
        self.clock, self.meter = LateClock(), FakeMeter()
        self.line = FakeLine(self.clock)
        session_clock = SessionClock(self.clock, 0.0, 0.0)
        self.load = FakeLoad()
        self.facing = Facing("s1", FakeFace(), session_clock, self.line, FakePublisher(), self.meter, self.load)

    async def speak(self, seconds: float) -> int:
        """Frames that were made meanwhile."""
        before = len(self.line.frames)
        self.facing.speech_began()
        task = asyncio.create_task(self.facing.run())
        await settle()
        await self.clock.advance(seconds)
        task.cancel()
        await asyncio.wait({task})
        return len(self.line.frames) - before


async def test_a_loop_that_keeps_time_shows_every_frame() -> None:
    stage = Stage()
    assert 59 <= await stage.speak(2.0) <= 62
    assert stage.meter.yields == 0 and max(stage.meter.lags) < 0.001


async def test_a_loop_that_is_late_makes_the_face_yield() -> None:
    stage = Stage()
    stage.clock.late_s = 0.2
    frames = await stage.speak(4.0)
    assert stage.meter.yields >= 4.0 / (YIELD_S + 0.6) - 1
    assert frames < 20


async def test_a_loop_that_has_recovered_has_its_face_back() -> None:
    stage = Stage()
    stage.clock.late_s = 0.2
    await stage.speak(2.0)
    stage.clock.late_s = 0.0
    assert await stage.speak(2.0) > 45


async def test_a_pressed_worker_shows_half_of_the_frames_and_says_so() -> None:
    stage = Stage()
    stage.load.face_stride = 2
    assert 29 <= await stage.speak(2.0) <= 32
    assert {frame["fps"] for frame in stage.line.frames} == {15}
    stage.load.face_stride = 1
    assert 59 <= await stage.speak(2.0) <= 62
