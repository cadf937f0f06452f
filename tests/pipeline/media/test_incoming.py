"""The whole way from packets to the microphone, on a clock of the test's own."""

import gc
import random
from types import SimpleNamespace

import pytest

from pipeline.contracts.audio import Sound
from pipeline.media import tap
from pipeline.media.incoming import Incoming
from pipeline.media.microphone import Microphone
from pipeline.media.shortcut import Rtp
from tests.fakes.clock import FakeClock
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.test_libopus import loudness, redundant
from tests.pipeline.media.test_microphone import Silent

TYPE = 111
SPEECH = redundant(tone(300, 2.0, 48_000))


class Line:
    """A tapped receiver and whoever listens, with the time at which each piece came."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000.0)
        self.microphone = Microphone(self.clock, 1000.0, lambda: None)
        self.incoming = Incoming(self.clock, self.microphone)
        receiver = SimpleNamespace(**{tap.HANDLE: None, tap.STREAMS: {}, tap.CODECS: {TYPE: None}})
        assert self.incoming.tap(receiver)
        self._handle = getattr(receiver, tap.HANDLE)
        self.sounds: list[tuple[float, Sound]] = []
        self.microphone.attach(lambda sound: self.sounds.append((self.clock.now() - 1000.0, sound)), lambda: None)
        self.microphone.listen(Silent(), self.incoming.beat)

    async def bring(self, events: list[tuple[float, int, bytes]], until_s: float, ssrc: int = 5) -> None:
        """Each event: when (from the beginning), the packet's number, its payload."""
        for at, number, payload in sorted(events, key=lambda event: event[0]):
            await self.clock.advance(1000.0 + at - self.clock.now())
            await self._handle(Rtp(TYPE, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc, payload), arrival_time_ms=0)
        await self.clock.advance(1000.0 + until_s - self.clock.now())

    def steps(self) -> list[int]:
        times = [sound.t_audio_ms for _, sound in self.sounds]
        return [round(b - a) for a, b in zip(times, times[1:], strict=False)]


@pytest.fixture
async def line():
    made = Line()
    yield made
    await made.microphone.close()


async def test_each_packet_sounds_in_the_moment_it_comes(line):
    await line.bring([(n * 0.02, n, SPEECH[n]) for n in range(50)], 1.0)
    assert [round(at, 6) for at, _ in line.sounds] == [round(n * 0.02, 6) for n in range(50)]
    assert set(line.steps()) == {20}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("first", [0, 65_500])
async def test_with_loss_reordering_duplicates_and_jitter_every_20_ms_is_heard_once_and_in_order(line, seed, first):
    dice, events = random.Random(seed), []
    for n in range(100):
        if dice.random() >= 0.05 or n in (0, 99):
            copies = 2 if dice.random() < 0.03 else 1
            swapped = 0.025 if dice.random() < 0.05 else 0.0
            events += [(n * 0.02 + dice.random() * 0.01 + swapped, first + n, SPEECH[n])] * copies
    await line.bring(events, 2.06)
    stats = line.incoming.stats()
    assert len(line.sounds) == 100
    assert all(-35 <= step - 20 <= 1 for step in line.steps()), "the clock follows whichever packet was fastest"
    assert stats["packets_concealed"] == stats["packets_lost"] <= 15
    assert stats["longest_hold_ms"] <= 60
    assert min(loudness(sound.pcm) for _, sound in line.sounds[2:]) > 20, "lost packets sound too"


async def test_a_loss_before_a_pause_of_the_browser_holds_the_last_packet_for_60_ms_at_most(line):
    await line.bring([(n * 0.02, n, SPEECH[n]) for n in range(20) if n != 18], 1.0)
    at, _ = line.sounds[19]
    assert at - 19 * 0.02 <= 0.06


async def test_another_ssrc_in_the_middle_of_a_call_is_heard_on_the_same_clock(line):
    await line.bring([(n * 0.02, n, SPEECH[n]) for n in range(20)], 0.4 - 1e-6)
    await line.bring([(0.4 + n * 0.02, 700 + n, SPEECH[20 + n]) for n in range(20)], 0.8, ssrc=9)
    assert len(line.sounds) == 40
    assert all(0 <= step - 20 <= 1 or step == 20 for step in line.steps())


async def test_in_dtx_silence_keeps_coming_and_speech_is_heard_where_it_was_said(line):
    quiet = [(0.4, 20, SPEECH[20][:1]), (0.8, 40, SPEECH[20][:1])]
    speech = [(n * 0.02, n, SPEECH[n]) for n in (*range(20), *range(50, 60))]
    # DTX leaves out packets, not their time: numbers of packets go on without a gap.
    order = sorted([*quiet, *speech])
    events = [(at, place, place_of, payload) for place, (at, place_of, payload) in enumerate(order)]
    for at, number, ticks, payload in events:
        await line.clock.advance(1000.0 + at - line.clock.now())
        await line._handle(Rtp(TYPE, number, ticks * 960, 5, payload), arrival_time_ms=0)
    assert line.incoming.stats()["packets_lost"] == 0
    assert len(line.sounds) == 60 and set(line.steps()) == {20}
    silent = [loudness(sound.pcm) < 500 for _, sound in line.sounds]
    assert sum(silent[22:50]) >= 26 and not any(silent[51:])


async def test_garbage_between_packets_is_concealed_and_the_rest_is_heard(line):
    dice = random.Random(1)
    events = [(n * 0.02, n, dice.randbytes(dice.randint(1, 900)) if n % 3 else SPEECH[n]) for n in range(99)]
    await line.bring(events, 2.0)
    assert line.incoming.stats()["packets_bad"] > 5
    assert {len(sound.pcm) for _, sound in line.sounds} == {640}


async def test_a_long_call_keeps_nothing_of_what_was_heard(line):
    line.microphone.attach(lambda sound: None, lambda: None)
    events = [(n * 0.02, n, SPEECH[n % 100]) for n in range(1500) if n % 20]
    await line.bring(events[:400], events[400][0] - 0.001)
    gc.collect()
    before = len(gc.get_objects())
    await line.bring(events[400:], 30.1)
    gc.collect()
    assert len(gc.get_objects()) - before < 50
