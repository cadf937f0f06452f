"""What a turn leaves behind: its part of the conversation, and nothing else that the garbage collector must look at."""

import asyncio
import gc

from tests.fakes.call import FakeCall, a_call

TURNS = 12
PER_TURN = 8
"""Tracked objects that a turn may leave. Measured: 2, the messages of the conversation."""


def tracked(call: FakeCall) -> int:
    """Objects that the collector tracks, less what the fakes themselves remember."""
    call.journal.records.clear()
    call.publisher.events.clear()
    call.publisher.frames.clear()
    call.language.requests.clear()
    assert call.line is not None
    call.line.told.clear()
    call.line.frames.clear()
    call.face.added.clear()
    gc.collect()
    return len(gc.get_objects())


async def talk(call: FakeCall, turns: int) -> None:
    for _ in range(turns):
        await call.say(600)
        await call.hush(1200)
        await call.clock.advance(6.0)


async def test_turns_leave_no_growth_but_the_conversation() -> None:
    call = await a_call(lines=["what are your hours"] * 100)
    task = asyncio.create_task(call.session.run())
    await talk(call, TURNS)
    sizes = [tracked(call)]
    for _ in range(2):
        await talk(call, TURNS)
        assert len(call.journal.turns()) >= TURNS - 1
        sizes.append(tracked(call))
    call.session.hang_up("hangup")
    await call.clock.advance(5.0)
    await task
    growth = [(after - before) / TURNS for before, after in zip(sizes, sizes[1:], strict=False)]
    assert max(growth) < PER_TURN, growth
