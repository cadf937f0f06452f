"""A speaker whose packets are pulled as aiortc's sender pulls them, on a clock of the test's own."""

import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from pipeline.media.edges import VOICE_RATE_HZ
from pipeline.media.outgoing import RtpOutlet
from pipeline.media.speaker import Speaker
from tests.fakes.clock import FakeClock, settle
from tests.pipeline.media.conftest import tone

RATE = VOICE_RATE_HZ


class Wire:
    """Pulls packets from the speaker's track as aiortc's sender does; keeps them with the clock's time."""

    def __init__(self, clock: FakeClock, outlet: RtpOutlet) -> None:
        self.clock, self.outlet = clock, outlet
        self.packets: list[tuple[float, int]] = []
        self.task = asyncio.create_task(self._run())

    def listen(self) -> list[bytes]:
        """The frames that go out from now on, as they are before they are encoded."""
        frames, send = [], self.outlet.send
        self.outlet.send = lambda frame, *where: frames.append(frame.pcm) or send(frame, *where)
        return frames

    async def _run(self) -> None:
        try:
            while True:
                packet = await self.outlet.track.recv()
                self.packets.append((self.clock.now(), packet.pts))
        except MediaStreamError:
            pass


@pytest.fixture
async def line():
    clock = FakeClock()
    outlet = RtpOutlet()
    speaker = Speaker(clock, clock.now(), outlet)
    wire = Wire(clock, outlet)
    await settle()
    yield clock, speaker, wire
    speaker.close()
    wire.task.cancel()
    await asyncio.wait({wire.task})


def frames(count: int) -> bytes:
    return tone(440, count * 0.02, RATE)
