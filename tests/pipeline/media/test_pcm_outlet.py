"""The voice over a websocket, on a clock that a test moves. What is true of any outlet stands in test_speaker.py."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pipeline.media.pcm_outlet import REWIND_MS
from tests.fakes.clock import FakeClock
from tests.fakes.pcm_wire import RATE_HZ, Wire, ramp

OVERLAP = 240


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    one = Wire(FakeClock())
    yield one
    one.close()


async def play(wire: Wire, pcm: bytes) -> None:
    """Says it and lets it sound."""
    playing = asyncio.create_task(wire.speaker.play(pcm, RATE_HZ))
    await wire.clock.advance(len(pcm) / 2 / RATE_HZ + 0.5)
    await playing


async def test_each_packet_repeats_the_last_5_ms_before_it_and_the_clock_counts_only_what_is_new(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await play(wire, ramp(200))
    first, *others = wire.packets
    assert (first.overlap_ms, first.duration_ms, len(first.payload)) == (0, 20, 960)
    assert all((p.overlap_ms, p.duration_ms, len(p.payload)) == (5, 20, 1200) for p in others)
    pairs = zip(wire.packets, others, strict=False)
    assert all(later.payload[:OVERLAP] == before.payload[-OVERLAP:] for before, later in pairs)
    assert [p.t_audio_ms - first.t_audio_ms for p in wire.packets] == [i * 20.0 for i in range(10)]
    assert [p.seq for p in wire.packets] == list(range(10))
    assert wire.sound() == ramp(200), "no sample is touched: the page fades"


async def test_nothing_is_sent_where_there_is_nothing_to_say(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await play(wire, ramp(60))
    await wire.clock.advance(5)
    assert len(wire.packets) == 3


async def test_the_audio_clock_goes_on_through_silence(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await play(wire, ramp(20))
    await wire.clock.advance(7)
    await play(wire, ramp(20))
    (first_at, first), (later_at, later) = wire.sent
    assert later.t_audio_ms - first.t_audio_ms == pytest.approx((later_at - first_at) * 1000)


@pytest.mark.parametrize("flushed", [True, False])
async def test_a_reply_begins_without_sound_of_the_one_before(wire: Wire, flushed: bool) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(0.05)
    if flushed:
        wire.speaker.flush()
    wire.speaker.begin(2, lambda: None)
    await play(wire, ramp(100))
    assert wire.sound(reply=2) == ramp(100)
    assert wire.sound(reply=1) == ramp(200)[: len(wire.sound(reply=1))]
    assert next(p for p in wire.packets if p.reply == 2).overlap_ms == 0


async def test_a_pause_takes_back_what_no_ear_has_heard_and_goes_on_from_there(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(wire.speaker.play(ramp(1000), RATE_HZ))
    await wire.clock.advance(0.301)
    sent = len(wire.packets)
    held_ms = wire.speaker.pause()
    assert held_ms == wire.speaker.played_ms == sent * 20 - REWIND_MS
    await wire.clock.advance(3)
    assert len(wire.packets) == sent and not playing.done()
    wire.speaker.resume()
    await wire.clock.advance(2)
    await playing
    again, skipped = wire.packets[sent], int(held_ms * 48)
    assert again.payload[OVERLAP:] == ramp(1000)[skipped : skipped + 960]
    assert again.payload[:OVERLAP] == ramp(1000)[skipped - OVERLAP : skipped], "cross-faded with what was heard"
    assert wire.speaker.played_ms == 1000


async def test_the_first_packet_is_told_before_it_goes_out_and_once(wire: Wire) -> None:
    told: list[int] = []
    wire.speaker.begin(1, lambda: told.append(len(wire.packets)))
    await play(wire, ramp(100))
    assert told == [0]


async def test_a_socket_that_is_behind_holds_the_voice_up_and_that_is_no_fault_of_the_loop(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(0.041)
    wire.stuck = True
    await wire.clock.advance(1)
    assert len(wire.packets) <= 4
    wire.unstick()
    await wire.clock.advance(1)
    assert wire.sound() == ramp(200)
    assert wire.speaker.packets_missed == 0


async def test_a_voice_that_begins_while_the_socket_is_behind_goes_out_once_it_is_not(wire: Wire) -> None:
    wire.stuck = True
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(1)
    assert wire.packets == []
    wire.unstick()
    await wire.clock.advance(1)
    assert wire.sound() == ramp(200)
