import asyncio
from array import array

from pipeline.media.edges import FRAME_BYTES
from pipeline.media.outgoing import REWIND_MS, TAIL_FRAMES
from tests.pipeline.media.speaking import RATE, frames, line

__all__ = ["line"]


async def test_a_pause_silences_the_line_and_takes_back_what_a_jitter_buffer_still_holds(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(15), RATE)
    await clock.advance(0.199)
    assert speaker.played_ms == 200
    assert speaker.pause() == 200 - REWIND_MS == speaker.played_ms
    said, sent = wire.listen(), len(wire.packets)
    await clock.advance(5)
    assert len(wire.packets) == sent + TAIL_FRAMES
    assert array("h", said[0])[-1] == 0 and not any(b"".join(said[1:]))
    assert speaker.played_ms == 200 - REWIND_MS


async def test_after_a_pause_the_rest_sounds_from_the_sample_that_was_taken_back(line):
    clock, speaker, wire = line
    said = wire.listen()
    pcm = frames(15)
    speaker.begin(1, lambda: None)
    await speaker.play(pcm, RATE)
    await clock.advance(0.199)
    speaker.pause()
    await clock.advance(1)
    said.clear()
    speaker.resume()
    assert len(said) == 1, "at once"
    await clock.advance(1)
    again = b"".join(said)
    rest = pcm[7 * FRAME_BYTES :]
    assert again[FRAME_BYTES : len(rest)] == rest[FRAME_BYTES:]
    assert array("h", again)[0] == 0 and again[200 : len(rest)] == rest[200:], "faded in"
    assert speaker.played_ms == 300


async def test_a_pause_in_the_middle_of_a_phrase_holds_its_producer(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    playing = asyncio.create_task(speaker.play(frames(60), RATE))
    await clock.advance(0.3)
    speaker.pause()
    await clock.advance(60)
    assert not playing.done()
    speaker.resume()
    await clock.advance(2)
    assert playing.done() and speaker.played_ms == 1200


async def test_drain_waits_through_a_pause(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(5), RATE)
    draining = asyncio.create_task(speaker.drain())
    await clock.advance(0.05)
    speaker.pause()
    await clock.advance(60)
    assert not draining.done()
    speaker.resume()
    await clock.advance(0.2)
    assert draining.done() and speaker.played_ms == 100


async def test_pausing_twice_takes_back_once_and_resuming_twice_plays_once(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.099)
    assert speaker.pause() == speaker.pause() == 40
    speaker.resume()
    speaker.resume()
    await clock.advance(1)
    assert speaker.played_ms == 200


async def test_a_flush_during_a_pause_drops_what_was_taken_back_too(line):
    clock, speaker, wire = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.099)
    speaker.pause()
    assert speaker.flush() == 40
    speaker.resume()
    sent = len(wire.packets)
    await clock.advance(1)
    assert len(wire.packets) == sent + TAIL_FRAMES and speaker.played_ms == 40


async def test_a_reply_after_a_flushed_pause_is_heard(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.099)
    speaker.pause()
    speaker.flush()
    speaker.begin(2, lambda: None)
    await speaker.play(frames(5), RATE)
    await clock.advance(1)
    assert speaker.played_ms == 100


async def test_beginning_a_reply_ends_a_pause(line):
    clock, speaker, _ = line
    speaker.begin(1, lambda: None)
    await speaker.play(frames(10), RATE)
    await clock.advance(0.099)
    speaker.pause()
    speaker.begin(2, lambda: None)
    await speaker.play(frames(2), RATE)
    await clock.advance(1)
    assert speaker.played_ms == 40


async def test_a_pause_before_the_first_packet_holds_it_back(line):
    clock, speaker, wire = line
    told = []
    speaker.begin(1, lambda: told.append(1))
    assert speaker.pause() == 0
    await speaker.play(frames(3), RATE)
    await clock.advance(1)
    assert not told and not wire.packets
    speaker.resume()
    await clock.advance(1)
    assert told == [1] and speaker.played_ms == 60
