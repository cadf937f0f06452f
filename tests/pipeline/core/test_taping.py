"""A call on tape: both sides in their places, only while the visitor agrees."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.audio import Sound
from pipeline.core.clock import SessionClock
from pipeline.core.surroundings import NoRecorder
from pipeline.core.taping import OVERLAP_MS, Taping, Track
from tests.fakes.call import FakeCall, a_call
from tests.fakes.clock import FakeClock, settle
from tests.fakes.tape import FakeRecorder
from tests.pipeline.core.test_session import running

PIECE = b"\x01\x00" * 320
AGENT = b"\x02\x00"


class Told:
    def __init__(self) -> None:
        self.on: list[bool] = []

    def tell(self, kind: str, *, on: bool) -> None:
        self.on.append(on)


class Mouth:
    """A speaker out of which the same sample comes all the time, 24 kHz."""

    def reference(self, seconds: float) -> tuple[bytes, int]:
        assert seconds <= 1.0, "a speaker remembers no more"
        return AGENT * round(seconds * 24_000), 24_000


class Bench:
    """A taping with a clock of its own."""

    def __init__(self) -> None:
        self.clock, self.recorder, self.told = FakeClock(), FakeRecorder(), Told()
        session_clock = SessionClock(self.clock, 0.0, 0.0)
        self.taping = Taping("s1", "t1", 2, session_clock, Mouth(), self.recorder, self.told)  # type: ignore[arg-type]
        self.running = asyncio.create_task(self.taping.run())

    async def hear(self, pieces: int, from_ms: float) -> None:
        for piece in range(pieces):
            self.taping.heard(Sound(PIECE, from_ms + piece * 20))
            await self.clock.advance(0.02)

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})


def loud(side: bytes | bytearray, rate_hz: int) -> list[bool]:
    """For each 20 ms, whether there is sound in it."""
    size = rate_hz // 50 * 2
    return [any(side[at : at + size]) for at in range(0, len(side), size)]


async def test_both_sides_lie_where_they_were_and_silence_where_nothing_was() -> None:
    bench = Bench()
    bench.taping.begin()
    await bench.hear(50, 0)
    await bench.clock.advance(1.0)
    await bench.hear(25, 2000)
    bench.taping.end(keep=True)
    await bench.close()
    (tape,) = bench.recorder.tapes
    assert loud(tape.visitor, 16_000) == [True] * 50 + [False] * 50 + [True] * 25
    assert loud(tape.agent, 24_000) == [True] * 125
    assert tape.kept is True
    assert (tape.recording.session_id, tape.recording.tenant_id, tape.recording.leg) == ("s1", "t1", 2)
    assert bench.told.on == [True, False]


async def test_what_was_said_before_the_visitor_agreed_is_not_on_it() -> None:
    bench = Bench()
    await bench.hear(50, 0)
    bench.taping.begin()
    await bench.hear(50, 1000)
    bench.taping.end(keep=True)
    await bench.close()
    assert loud(bench.recorder.tapes[0].visitor, 16_000) == [True] * 50
    assert bench.recorder.tapes[0].recording.t_audio_ms == pytest.approx(1000, abs=1)


async def test_sound_that_the_network_held_up_finds_its_place() -> None:
    bench = Bench()
    bench.taping.begin()
    await bench.hear(25, 0)
    await bench.clock.advance(0.2)
    for piece in range(10):
        bench.taping.heard(Sound(PIECE, 500 + piece * 20))
    await bench.hear(65, 700)
    bench.taping.end(keep=True)
    await bench.close()
    assert loud(bench.recorder.tapes[0].visitor, 16_000) == [True] * 100


async def test_a_loop_that_stood_still_leaves_silence_and_shifts_nothing() -> None:
    bench = Bench()
    bench.taping.begin()
    bench.running.cancel()
    bench.clock._now += 3.0
    bench.taping.end(keep=True)
    await bench.close()
    tape = bench.recorder.tapes[0]
    assert loud(tape.agent, 24_000) == [False] * 100 + [True] * 50
    assert loud(tape.visitor, 16_000) == [False] * 150


async def test_who_takes_consent_back_leaves_nothing_and_may_give_it_again() -> None:
    bench = Bench()
    bench.taping.begin()
    bench.taping.begin()
    await bench.hear(50, 0)
    bench.taping.end(keep=False)
    bench.taping.end(keep=False)
    bench.taping.begin()
    bench.taping.end(keep=True)
    await bench.close()
    assert [tape.kept for tape in bench.recorder.tapes] == [False, True]
    assert bench.told.on == [True, False, True, False]


async def test_a_tape_that_breaks_is_told_and_closed_and_the_call_goes_on() -> None:
    bench = Bench()
    bench.taping.begin()
    bench.recorder.tapes[0].broken = True
    await bench.clock.advance(1.0)
    await bench.hear(5, 1000)
    assert bench.told.on == [True, False]
    assert bench.recorder.tapes[0].kept is True
    assert not bench.running.done()
    await bench.close()


async def test_without_room_nothing_is_recorded_and_the_page_knows() -> None:
    bench = Bench()
    bench.recorder.full = True
    bench.taping.begin()
    await bench.hear(50, 0)
    bench.taping.end(keep=True)
    assert bench.told.on == [False]
    await bench.close()
    assert NoRecorder().open(None) is None  # type: ignore[arg-type, func-returns-value]


@given(st.lists(st.tuples(st.integers(-5_000, 20_000), st.integers(0, 3)), max_size=40), st.integers(0, 500))
def test_a_track_is_as_long_as_it_was_taken_whatever_came(pieces: list[tuple[int, int]], step_ms: int) -> None:
    track, taken, until = Track(16_000), b"", 0
    for at_ms, takes in pieces:
        track.put(at_ms, PIECE)
        for _ in range(takes):
            until += step_ms
            taken += track.take(until)
    assert len(taken) == until * 32


@given(st.lists(st.integers(-OVERLAP_MS // 2, 9), min_size=1, max_size=300))
def test_a_capture_clock_that_wavers_loses_no_sound(wavering_ms: list[int]) -> None:
    track = Track(16_000)
    for number, off_ms in enumerate(wavering_ms):
        track.put(number * 20 + off_ms, PIECE)
    assert sum(loud(track.take(len(wavering_ms) * 20 + 40), 16_000)) >= len(wavering_ms)


# In a session ---------------------------------------------------------------------------------------------------------


def told(call: FakeCall) -> list[bool]:
    return [event["on"] for event in call.events("recording")]


async def test_a_call_whose_visitor_agreed_is_recorded_from_its_first_moment_to_its_last() -> None:
    call = await a_call(["what are your hours"], record=True)
    async with running(call):
        await call.say(1000)
        await call.hush(2000)
    (tape,) = call.recorder.tapes
    assert tape.kept is True
    assert len(tape.visitor) / 32 >= 3000
    assert told(call) == [True, False]


async def test_a_visitor_may_agree_and_take_it_back_in_the_middle_of_a_call() -> None:
    call = await a_call()
    async with running(call):
        await call.hush(500)
        assert call.recorder.tapes == []
        call.session.record(True)
        await call.hush(1000)
        call.session.record(False)
        await call.hush(500)
    assert [tape.kept for tape in call.recorder.tapes] == [False]


async def test_consent_that_comes_before_the_call_stands_counts_from_its_beginning() -> None:
    call = await a_call()
    call.session.record(True)
    async with running(call):
        await call.hush(500)
    assert [tape.kept for tape in call.recorder.tapes] == [True]
    call.session.record(True)
    await settle()
    assert len(call.recorder.tapes) == 1, "a session that is over is not recorded"


async def test_a_conversation_in_writing_is_not_recorded() -> None:
    call = await a_call(in_writing=True, record=True)
    async with running(call):
        call.session.record(True)
    assert call.recorder.tapes == []
    assert told(call) == []
