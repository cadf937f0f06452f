"""Any order of begin, play, drain, flush and passing time keeps the speaker's promises."""

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.edges import FRAME_SAMPLES
from pipeline.media.speaker import Speaker
from tests.fakes.clock import FakeClock, settle
from tests.pipeline.media.conftest import tone

STEPS = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 700)),
    st.tuples(st.just("wait"), st.integers(1, 900)),
    st.tuples(st.just("stall"), st.integers(50, 2000)),
    st.sampled_from([("begin", 0), ("flush", 0), ("drain", 0)]),
)


async def pull(speaker: Speaker, packets: list[int]) -> None:
    """What aiortc's sender does; keeps the RTP timestamps."""
    while True:
        packets.append((await speaker.track.recv()).pts)


async def run(steps: list[tuple[str, int]]) -> None:
    clock = FakeClock()
    speaker = Speaker(clock, clock.now())
    packets: list[int] = []

    pulling, said_ms, replies = asyncio.create_task(pull(speaker, packets)), 0.0, 0
    speaking: set[asyncio.Task[None]] = set()
    for step, ms in steps:
        if speaking and step in {"play", "drain", "begin"}:
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
            case "flush":
                assert speaker.flush() == speaker.played_ms
            case "wait":
                await clock.advance(ms / 1000)
            case "stall":
                clock._now += ms / 1000
        await settle()
        assert speaker.played_ms <= said_ms + 1
    await clock.advance(5.0)
    assert all(task.done() for task in speaking)
    drained = asyncio.create_task(speaker.drain())
    await clock.advance(5.0)
    assert drained.done(), "all that was queued has gone out or was flushed"
    assert all(b - a >= FRAME_SAMPLES for a, b in pairwise(packets)), "sound never overlaps"
    speaker.close()
    pulling.cancel()
    await asyncio.wait({pulling, drained, *speaking})


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_whatever_happens_sound_goes_out_in_order_once_and_nobody_waits_for_ever(steps):
    asyncio.run(run(steps))
