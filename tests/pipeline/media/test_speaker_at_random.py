"""Any order of begin, play, drain, pause, resume, flush and passing time keeps the speaker's promises."""

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.numbers import PACKET_MS, WIRE_RATE_HZ
from pipeline.media.edges import VOICE_RATE_HZ
from pipeline.media.outgoing import REWIND_MS, OutgoingTrack, RtpOutlet
from pipeline.media.speaker import Speaker
from tests.fakes.clock import FakeClock, settle
from tests.pipeline.media.conftest import tone

STEPS = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 700)),
    st.tuples(st.just("wait"), st.integers(1, 900)),
    st.tuples(st.just("stall"), st.integers(50, 2000)),
    st.sampled_from([("begin", 0), ("flush", 0), ("drain", 0), ("pause", 0), ("resume", 0)]),
)


async def pull(track: OutgoingTrack, packets: list[int]) -> None:
    """What aiortc's sender does; keeps the RTP timestamps."""
    while True:
        packets.append((await track.recv()).pts)


async def run(steps: list[tuple[str, int]]) -> None:
    clock = FakeClock()
    outlet = RtpOutlet()
    speaker = Speaker(clock, clock.now(), outlet)
    packets: list[int] = []

    pulling, said_ms, replies = asyncio.create_task(pull(outlet.track, packets)), 0.0, 0
    speaking: set[asyncio.Task[None]] = set()
    for step, ms in steps:
        if speaking and step in {"play", "drain", "begin"}:
            speaker.resume()
            await clock.advance(2.0)  # one producer: it goes on when the step before has ended
        match step:
            case "play":
                said_ms += ms
                speaking = {asyncio.create_task(speaker.play(tone(440, ms / 1000, 22_050), 22_050))}
            case "drain":
                speaking = {asyncio.create_task(speaker.drain())}
            case "begin":
                replies, said_ms = replies + 1, 0.0
                speaker.begin(replies, lambda: None)
            case "flush" | "pause":
                before_ms, after_ms = speaker.played_ms, getattr(speaker, step)()
                assert max(0, before_ms - REWIND_MS) <= after_ms == speaker.played_ms <= before_ms
            case "resume":
                speaker.resume()
            case "wait":
                await clock.advance(ms / 1000)
            case "stall":
                clock._now += ms / 1000
        await settle()
        assert 0 <= speaker.played_ms <= said_ms + 1
        assert len(speaker.reference(0.5)[0]) == VOICE_RATE_HZ
    speaker.resume()
    await clock.advance(5.0)
    assert all(task.done() for task in speaking)
    drained = asyncio.create_task(speaker.drain())
    await clock.advance(5.0)
    assert drained.done(), "all that was queued has gone out or was flushed"
    assert all(b - a >= WIRE_RATE_HZ * PACKET_MS // 1000 for a, b in pairwise(packets)), "sound never overlaps"
    speaker.close()
    pulling.cancel()
    await asyncio.wait({pulling, drained, *speaking})


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_whatever_happens_sound_goes_out_in_order_once_and_nobody_waits_for_ever(steps):
    asyncio.run(run(steps))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 250), st.integers(1, 250)), max_size=8))
def test_a_reply_that_is_paused_again_and_again_is_heard_to_its_last_sample(pauses):
    """And the reply clock has counted each of its samples once."""

    async def run() -> float:
        clock, outlet, packets = FakeClock(), RtpOutlet(), []
        speaker = Speaker(clock, clock.now(), outlet)
        pulling = asyncio.create_task(pull(outlet.track, packets))
        speaker.begin(1, lambda: None)
        playing = asyncio.create_task(speaker.play(tone(440, 2.0, 22_050), 22_050))
        for said_ms, paused_ms in pauses:
            await clock.advance(said_ms / 1000)
            speaker.pause()
            await clock.advance(paused_ms / 1000)
            speaker.resume()
        await clock.advance(4.0)
        drained = asyncio.create_task(speaker.drain())
        await clock.advance(0.1)
        await asyncio.gather(playing, drained)
        speaker.close()
        pulling.cancel()
        await asyncio.wait({pulling})
        return speaker.played_ms

    assert abs(asyncio.run(run()) - 2000) < 0.1
