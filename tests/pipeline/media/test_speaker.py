import asyncio
from array import array

import pytest

from pipeline.media.edges import FRAME_BYTES
from pipeline.media.outgoing import TAIL_FRAMES
from pipeline.media.playout import QUEUE_FRAMES
from tests.fakes.clock import settle
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.speaking import RATE, frames, line

__all__ = ["line"]


async def test_packets_go_out_every_20_ms_without_drift(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    playing = asyncio.create_task(speaker.play(frames(50), RATE))
    await clock.advance(2.0)
    await playing
    times = [round(at - wire.packets[0][0], 6) for at, _ in wire.packets]
    assert times == [round(i * 0.02, 6) for i in range(50 + TAIL_FRAMES)]
    assert [pts for _, pts in wire.packets] == [i * 960 for i in range(50 + TAIL_FRAMES)]


async def test_after_speech_ten_silent_packets_follow_and_then_nothing(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(3), RATE)
    await clock.advance(10)
    assert len(wire.packets) == 3 + TAIL_FRAMES


async def test_the_rtp_clock_goes_on_through_silence(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(1), RATE)
    await clock.advance(7.0)
    await speaker.play(frames(1), RATE)
    await clock.advance(0.02)
    (first_at, first), (later_at, later) = wire.packets[0], wire.packets[1 + TAIL_FRAMES]
    assert (later - first) / 48_000 == pytest.approx(later_at - first_at)


async def test_nothing_at_all_is_sent_before_there_is_sound(line):
    clock, _, wire = line
    await clock.advance(5)
    assert wire.packets == []


async def test_the_producer_waits_when_300_ms_are_queued(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    playing = asyncio.create_task(speaker.play(frames(100), RATE))
    await settle()
    assert not playing.done()
    assert len(speaker._queue) == QUEUE_FRAMES == 15
    await clock.advance(2.0)
    assert playing.done()


async def test_the_first_packet_is_told_when_it_goes_to_the_transport_and_once(line):
    clock, speaker, wire = line
    told = []
    speaker.begin(1, lambda: told.append(len(wire.packets)))
    await settle()
    assert told == []
    await speaker.play(frames(5), RATE)
    await clock.advance(1)
    assert told == [0]


async def test_the_reply_clock_counts_what_went_out_and_no_silence(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(5), RATE)
    await clock.advance(0.041)
    assert speaker.played_ms == 60
    await clock.advance(5)
    assert speaker.played_ms == 100


async def test_a_new_reply_reads_zero_and_is_not_counted_with_the_old_ones_rest(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(4), RATE)
    speaker.begin(2, lambda: None)
    await speaker.play(frames(2), RATE)
    await clock.advance(1)
    assert speaker.played_ms == 40


async def test_drain_waits_until_the_last_partial_frame_has_gone(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(tone(440, 0.030, RATE), RATE)
    draining = asyncio.create_task(speaker.drain())
    await settle()
    assert not draining.done()
    await clock.advance(0.02)
    await draining
    assert speaker.played_ms == 30


async def test_phrases_join_without_padding(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    for _ in range(4):
        await speaker.play(tone(440, 0.030, RATE), RATE)
    await clock.advance(0.081)
    draining = asyncio.create_task(speaker.drain())
    await clock.advance(1)
    await draining
    assert speaker.played_ms == 120
    assert len(wire.packets) == 6 + TAIL_FRAMES


async def test_a_flush_stops_at_once_and_returns_what_was_heard(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    playing = asyncio.create_task(speaker.play(frames(100), RATE))
    await clock.advance(0.101)
    sent = len(wire.packets)
    assert speaker.flush() == sent * 20
    await clock.advance(5)
    assert playing.done(), "whoever was playing goes on, it does not wait for ever"
    assert len(wire.packets) == sent + TAIL_FRAMES
    assert speaker.played_ms == sent * 20


async def test_after_a_flush_drain_has_nothing_to_wait_for(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    speaker.flush()
    await speaker.drain()


async def test_a_flushed_reply_that_never_sounded_tells_no_first_packet(line):
    clock, speaker, wire = line
    told = []
    speaker.begin(1, lambda: told.append(1))
    assert speaker.flush() == 0
    speaker.begin(2, lambda: told.append(2))
    await speaker.play(frames(1), RATE)
    await clock.advance(0.1)
    assert told == [2]


async def test_the_reply_after_a_flush_is_whole(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.05)
    speaker.flush()
    speaker.begin(2, lambda: None)
    await speaker.play(frames(5), RATE)
    await clock.advance(1)
    assert speaker.played_ms == 100


async def test_a_stall_of_the_machine_is_not_made_up_for_by_a_burst(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.01)
    clock._now += 1.0  # the loop stood still: nobody was woken meanwhile
    await clock.advance(0.1)
    late = [(at, pts) for at, pts in wire.packets if at > wire.packets[0][0] + 0.5]
    assert all(b[0] - a[0] > 0.019 for a, b in zip(late, late[1:], strict=False))
    assert late[0][1] > 47_000, "the RTP clock shows the time that was lost"
    assert 48 <= speaker.packets_missed <= 51, "and the packets that were due in it are known to be missing"


async def test_starts_and_cuts_are_soft(line):
    clock, speaker, wire = line
    said = wire.listen()
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.05)
    speaker.flush()
    await clock.advance(1)
    samples = array("h", b"".join(said))
    loudest_step = max(abs(a - b) for a, b in zip(samples, samples[1:], strict=False))
    assert samples[0] == 0 and samples[-1] == 0
    assert loudest_step < 1100, "a 440 Hz tone of this loudness moves by at most 1037 a sample"


async def test_every_packet_can_be_tapped_with_its_contract_fields(line):
    clock, speaker, wire = line
    tapped = []
    speaker.tap("s1", tapped.append)
    speaker.begin(3, lambda: None)
    await speaker.play(frames(2), RATE)
    await clock.advance(1)
    first, second = tapped[:2]
    assert (first.session_id, first.reply, first.seq, first.codec) == ("s1", 3, 0, "opus")
    assert (first.duration_ms, first.overlap_ms) == (20, 0)
    assert second.t_audio_ms - first.t_audio_ms == pytest.approx(20)
    assert len(tapped) == len(wire.packets) and all(packet.payload for packet in tapped)


async def test_a_closed_line_swallows_sound(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    playing = asyncio.create_task(speaker.play(frames(100), RATE))
    await settle()
    speaker.close()
    await playing
    await speaker.play(b"\0" * FRAME_BYTES, RATE)
    await speaker.drain()
    assert speaker.packets_out <= 1


async def test_the_reference_is_what_went_out_with_silence_where_nothing_did(line):
    clock, speaker, wire = line
    said, pcm = wire.listen(), frames(10)
    speaker.begin(1, lambda: None)
    await speaker.play(pcm, RATE)
    await clock.advance(0.199)
    before, rate_hz = speaker.reference(0.1)
    assert rate_hz == RATE and len(before) == 0.1 * RATE * 2
    played = b"".join(said)[: 24 * 199 * 2]
    assert before == played[-len(before) :]
    await clock.advance(0.101)
    after, _ = speaker.reference(0.15)
    assert after == b"".join(said[:10])[-(24 * 50 * 2) :] + bytes(24 * 100 * 2)
    await clock.advance(60)
    assert not any(speaker.reference(1.0)[0])


async def test_a_reference_before_anything_was_said_is_silence(line):
    _, speaker, _ = line
    assert speaker.reference(0.5) == (bytes(RATE), RATE)


async def test_the_audio_clock_of_packets_goes_on_through_silence(line):
    clock, speaker, _ = line
    tapped = []
    speaker.tap("s1", tapped.append)
    speaker.begin(1, lambda: None)
    await speaker.play(frames(1), RATE)
    await clock.advance(7.0)
    await speaker.play(frames(1), RATE)
    again = tapped[1 + TAIL_FRAMES]
    assert again.t_audio_ms - tapped[0].t_audio_ms == pytest.approx(7000, abs=1)
    assert [packet.seq for packet in tapped] == list(range(len(tapped)))
