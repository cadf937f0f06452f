"""What goes out of a speaker by way of a `PcmOutlet`, on a clock that a test moves."""

from array import array

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.packets import unpack_voice
from pipeline.media.pcm_outlet import PcmOutlet
from pipeline.media.speaker import Speaker
from tests.fakes.clock import FakeClock

RATE_HZ = 24_000


class Wire:
    """What the page would get, with the clock's time."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.stuck = False
        self.sent: list[tuple[float, AudioPacket]] = []
        self.outlet = PcmOutlet(self._send, lambda: self.stuck)
        self.speaker = Speaker(clock, clock.now(), self.outlet)

    def _send(self, data: bytes) -> None:
        self.sent.append((self.clock.now(), unpack_voice(data, "s1")))

    def unstick(self) -> None:
        self.stuck = False
        self.outlet.on_ready()

    @property
    def packets(self) -> list[AudioPacket]:
        return [packet for _, packet in self.sent]

    def sound(self, reply: int = 1) -> bytes:
        """The new sound of the packets, joined."""
        return b"".join(p.payload[int(p.overlap_ms) * 48 :] for p in self.packets if p.reply == reply)

    def close(self) -> None:
        self.speaker.close()


def ramp(ms: int, first: int = 1) -> bytes:
    """Sound of which every sample can be told from every other one."""
    return array("h", [(first + i) % 32_000 for i in range(ms * 24)]).tobytes()
