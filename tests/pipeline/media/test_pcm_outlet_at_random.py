"""The voice over a websocket under anything that may be asked of it, in any order."""

import asyncio

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock, settle
from tests.fakes.pcm_wire import RATE_HZ, Wire, ramp

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.integers(1, 300)),
        st.tuples(st.just("wait"), st.integers(1, 200)),
        st.tuples(st.sampled_from(["pause", "resume", "flush"]), st.just(0)),
    ),
    max_size=12,
)


class Listener:
    """Hears what goes out, but not what a pause takes back: that was still in the jitter buffer."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.seen, self.reply, self.given_ms = wire, 0, 1, 0
        self.heard = bytearray()
        wire.speaker.begin(1, lambda: None)

    def listen(self) -> None:
        for packet in self.wire.packets[self.seen :]:
            assert packet.reply == self.reply, "nothing of a reply that is over"
            self.heard += packet.payload[int(packet.overlap_ms) * 48 :]
        self.seen = len(self.wire.packets)

    def pause(self) -> None:
        self.listen()
        del self.heard[round(self.wire.speaker.pause() * 48) :]

    def flush(self) -> None:
        self.listen()
        assert self.wire.speaker.flush() == self.wire.speaker.played_ms == len(self.heard) / 48
        self.reply, self.given_ms = self.reply + 1, 0
        self.heard.clear()
        self.wire.speaker.begin(self.reply, lambda: None)


@hypothesis_settings(max_examples=60)
@given(STEPS)
def test_whatever_happens_in_whatever_order_a_reply_is_heard_whole_and_once(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_at_random(steps))


async def _at_random(steps: list[tuple[str, int]]) -> None:
    wire = Wire(FakeClock())
    visitor, speaker = Listener(wire), wire.speaker
    playing: set[asyncio.Task[None]] = set()
    for what, amount in steps:
        match what:
            case "play":
                speaker.resume()
                await wire.clock.advance(0.4)  # whoever plays waits until there is room
                await asyncio.gather(*playing)
                pcm = ramp(amount, first=1 + visitor.given_ms * 24)
                playing = {asyncio.create_task(speaker.play(pcm, RATE_HZ))}
                visitor.given_ms += amount
                await settle()
            case "wait":
                await wire.clock.advance(amount / 1000)
            case "pause":
                visitor.pause()
            case "resume":
                speaker.resume()
            case "flush":
                visitor.flush()
                await asyncio.gather(*playing)
        visitor.listen()
        assert 0 <= speaker.played_ms <= visitor.given_ms
    speaker.resume()
    await wire.clock.advance(0.6)
    draining = asyncio.create_task(speaker.drain())
    await wire.clock.advance(0.6)
    await asyncio.gather(*playing, draining)
    visitor.listen()
    whole = ramp(visitor.given_ms)
    assert visitor.heard[: len(whole)] == whole and not any(visitor.heard[len(whole) :])
    assert speaker.played_ms == visitor.given_ms
    times = [packet.t_audio_ms for packet in wire.packets]
    assert all(b - a > 19.999 for a, b in zip(times, times[1:], strict=False)), "the clock never stands or goes back"
    assert [packet.seq for packet in wire.packets] == list(range(len(wire.packets)))
    wire.close()
