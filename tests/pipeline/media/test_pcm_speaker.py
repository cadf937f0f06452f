"""The voice over a websocket, on a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pipeline.media.pcm_speaker import LISTENER_S
from tests.fakes.clock import FakeClock, settle
from tests.fakes.pcm_wire import RATE_HZ, Wire, ramp

OVERLAP = 240


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    one = Wire(FakeClock())
    yield one
    await one.close()


async def play(wire: Wire, pcm: bytes) -> None:
    """Says it and lets it sound."""
    playing = asyncio.create_task(wire.speaker.play(pcm, RATE_HZ))
    await wire.clock.advance(len(pcm) / 2 / RATE_HZ + 0.5)
    await playing


async def test_packets_go_out_every_20_ms_without_drift(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await play(wire, ramp(1000))
    times = [round(at - wire.sent[0][0], 6) for at, _ in wire.sent]
    assert times == [round(i * 0.02, 6) for i in range(50)]
    assert [p.seq for p in wire.packets] == list(range(50))


async def test_each_packet_repeats_the_last_5_ms_before_it_and_the_clock_counts_only_what_is_new(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await play(wire, ramp(200))
    first, *others = wire.packets
    assert (first.overlap_ms, first.duration_ms, len(first.payload)) == (0, 20, 960)
    assert all((p.overlap_ms, p.duration_ms, len(p.payload)) == (5, 20, 1200) for p in others)
    pairs = zip(wire.packets, others, strict=False)
    assert all(later.payload[:OVERLAP] == before.payload[-OVERLAP:] for before, later in pairs)
    assert [p.t_audio_ms - first.t_audio_ms for p in wire.packets] == [i * 20.0 for i in range(10)]
    assert wire.sound() == ramp(200)
    assert wire.speaker.played_ms == 200


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


async def test_the_producer_waits_when_300_ms_are_queued(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(wire.speaker.play(ramp(2000), RATE_HZ))
    await settle()
    assert not playing.done()
    assert len(wire.speaker._ahead) + len(wire.sound()) <= 300 * 48
    await wire.clock.advance(2)
    assert playing.done()


async def test_the_first_packet_is_told_before_it_goes_out_and_once(wire: Wire) -> None:
    told: list[int] = []
    wire.speaker.begin(1, lambda: told.append(len(wire.packets)))
    await settle()
    assert told == []
    await play(wire, ramp(100))
    assert told == [0]


async def test_phrases_join_without_padding_and_drain_sends_the_last_partial_packet(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    for i in range(3):
        await wire.speaker.play(ramp(30, first=1 + 720 * i), RATE_HZ)
    draining = asyncio.create_task(wire.speaker.drain())
    await settle()
    assert not draining.done()
    await wire.clock.advance(1)
    await draining
    assert wire.speaker.played_ms == 90
    assert wire.sound() == ramp(90) + bytes(480)


async def test_sound_of_another_rate_is_resampled(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(bytes(2 * 22_050 // 5), 22_050)
    draining = asyncio.create_task(wire.speaker.drain())
    await wire.clock.advance(1)
    await draining
    assert wire.speaker.played_ms == pytest.approx(200, abs=1)


async def test_a_flush_stops_at_once_and_returns_what_went_out(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(wire.speaker.play(ramp(2000), RATE_HZ))
    await wire.clock.advance(0.101)
    sent = len(wire.packets)
    assert wire.speaker.flush() == sent * 20 == wire.speaker.played_ms
    await wire.clock.advance(5)
    assert playing.done(), "whoever was playing goes on, it does not wait for ever"
    assert len(wire.packets) == sent
    await wire.speaker.drain()


async def test_the_reply_after_a_flush_is_whole_and_begins_without_overlap(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(0.05)
    wire.speaker.flush()
    wire.speaker.begin(2, lambda: None)
    await play(wire, ramp(100))
    assert wire.sound(reply=2) == ramp(100)
    assert next(p for p in wire.packets if p.reply == 2).overlap_ms == 0


async def test_a_flushed_reply_that_never_sounded_tells_no_first_packet(wire: Wire) -> None:
    told: list[int] = []
    wire.speaker.begin(1, lambda: told.append(1))
    assert wire.speaker.flush() == 0
    wire.speaker.begin(2, lambda: told.append(2))
    await play(wire, ramp(20))
    assert told == [2]


async def test_a_new_reply_reads_zero_and_is_not_counted_with_the_old_ones_rest(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(70), RATE_HZ)
    wire.speaker.begin(2, lambda: None)
    await play(wire, ramp(40))
    assert wire.speaker.played_ms == 40
    assert wire.sound(reply=1)[: 70 * 48] == ramp(70)
    assert wire.sound(reply=2) == ramp(40)


async def test_a_pause_takes_back_what_no_ear_has_heard_and_goes_on_from_there(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(wire.speaker.play(ramp(1000), RATE_HZ))
    await wire.clock.advance(0.301)
    sent = len(wire.packets)
    held_ms = wire.speaker.pause()
    assert held_ms == wire.speaker.played_ms == sent * 20 - LISTENER_S * 1000
    await wire.clock.advance(3)
    assert len(wire.packets) == sent and not playing.done()
    wire.speaker.resume()
    await wire.clock.advance(2)
    await playing
    again = wire.packets[sent]
    skipped = int(held_ms * 48)
    assert again.payload[OVERLAP:] == ramp(1000)[skipped : skipped + 960]
    assert again.payload[:OVERLAP] == ramp(1000)[skipped - OVERLAP : skipped], "cross-faded with what was heard"
    assert wire.speaker.played_ms == 1000
    late = [at for at, _ in wire.sent[sent:]]
    assert all(b - a == pytest.approx(0.02) for a, b in zip(late, late[1:], strict=False)), "no burst after the pause"


async def test_a_reply_that_is_paused_drains_only_after_it_goes_on(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(110), RATE_HZ)
    await wire.clock.advance(0.001)
    wire.speaker.pause()
    draining = asyncio.create_task(wire.speaker.drain())
    await wire.clock.advance(2)
    assert not draining.done()
    wire.speaker.resume()
    await wire.clock.advance(1)
    assert draining.done()
    assert wire.speaker.played_ms == 110


async def test_a_pause_after_a_flush_or_before_a_new_reply_holds_nothing(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    wire.speaker.pause()
    wire.speaker.flush()
    wire.speaker.begin(2, lambda: None)
    await play(wire, ramp(100))
    assert wire.sound(reply=2) == ramp(100)


async def test_a_stall_of_the_machine_is_not_made_up_for_by_a_burst(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(0.01)
    wire.clock._now += 1.0  # the loop stood still: nobody was woken meanwhile
    await wire.clock.advance(0.5)
    late = [(at, p.t_audio_ms) for at, p in wire.sent if at > wire.sent[0][0] + 0.5]
    assert all(b[0] - a[0] > 0.019 for a, b in zip(late, late[1:], strict=False))
    assert late[0][1] > 950, "the packets' clock shows the time that was lost"


async def test_a_socket_that_is_behind_holds_the_voice_up(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(200), RATE_HZ)
    await wire.clock.advance(0.041)
    wire.stuck = True
    await wire.clock.advance(1)
    assert len(wire.packets) <= 4
    wire.stuck = False
    await wire.clock.advance(1)
    assert wire.sound() == ramp(200)


async def test_the_reference_is_what_went_out_ending_now_silence_included(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    await wire.speaker.play(ramp(100), RATE_HZ)
    await wire.clock.advance(0.15)
    pcm, rate_hz = wire.speaker.reference(0.2)
    assert (rate_hz, len(pcm)) == (24_000, 9600)
    assert pcm == bytes(50 * 48) + ramp(100) + bytes(50 * 48)
    assert wire.speaker.reference(0.1)[0] == ramp(100)[50 * 48 :] + bytes(50 * 48)


async def test_a_closed_line_swallows_sound(wire: Wire) -> None:
    wire.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(wire.speaker.play(ramp(2000), RATE_HZ))
    await settle()
    wire.speaker.close()
    await playing
    await wire.speaker.play(ramp(100), RATE_HZ)
    await wire.speaker.drain()
    assert len(wire.packets) <= 1
