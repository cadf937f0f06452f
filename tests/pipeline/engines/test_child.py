"""A child process: many streams over one pipe, bounded, and its death is nobody's end."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.errors import EngineError
from pipeline.engines import child_frames as frames
from pipeline.engines.child import Child
from pipeline.engines.child_frames import WINDOW, Frame
from pipeline.engines.child_main import Switch
from pipeline.engines.child_stream import Stream
from tests.fakes.child_echo import serve

ECHO = "tests.fakes.child_echo"


@pytest.fixture
async def child():
    child = Child(ECHO, {"prefix": "echo"}, engine="tts")
    yield child
    await child.close()


async def test_an_item_is_answered(child):
    with await child.open() as call:
        await call.send("hello")
        assert await anext(call) == ["echo", "hello"]


async def test_many_streams_share_one_process(child):
    async def talk(name):
        with await child.open() as call:
            for i in range(50):
                await call.send([name, i])
                assert await anext(call) == ["echo", [name, i]]

    await asyncio.gather(*(talk(name) for name in "abcdef"))
    assert child.alive


async def test_more_than_a_window_passes_in_order_when_it_is_taken(child):
    with await child.open() as call:
        await call.send(["count", 10 * WINDOW])
        call.end()
        assert [item async for item in call] == list(range(10 * WINDOW))


async def test_a_child_waits_when_its_items_are_not_taken(child):
    with await child.open() as slow, await child.open() as other:
        await slow.send(["count", 100_000])
        await other.send("still here?")
        assert await anext(other) == ["echo", "still here?"]
        while len(slow._items) < WINDOW:
            await other.send("?")
            await anext(other)
        for _ in range(20):
            await other.send("?")
            await anext(other)
        assert len(slow._items) == WINDOW


async def test_an_offer_without_room_is_refused_and_a_send_waits(child):
    with await child.open() as call:
        assert [call.offer(i) for i in range(WINDOW + 1)].count(False) == 1
        await call.send("last")
        received = [await anext(call) for _ in range(WINDOW + 1)]
        assert received[-1] == ["echo", "last"]


async def test_an_abort_reaches_a_step_that_is_under_way(child):
    with await child.open() as endless:
        await endless.send("until aborted")
        await anext(endless)
    with await child.open() as call:
        await call.send("next")
        assert await anext(call) == ["echo", "next"]


async def test_leaving_the_block_makes_the_stream_forgotten(child):
    with await child.open() as call:
        await call.send(["count", 1000])
        await anext(call)
    assert call.stream not in child._calls
    assert [item async for item in call] == []


async def test_an_exception_in_the_child_ends_its_stream_only(child):
    with await child.open() as good, await child.open() as bad:
        await bad.send("fail")
        with pytest.raises(EngineError, match="as asked") as caught:
            await anext(bad)
        assert caught.value.engine == "tts"
        await good.send(1)
        assert await anext(good) == ["echo", 1]


async def test_a_request_the_child_refuses_fails_its_stream(child):
    with await child.open("refuse") as call:
        with pytest.raises(EngineError, match="refused"):
            await anext(call)
        with pytest.raises(EngineError, match="refused"):
            await call.send("too late")


async def test_a_dead_child_fails_every_open_stream_and_the_next_use_starts_another(child):
    with await child.open() as first, await child.open() as second:
        pid = child.pid
        os.kill(pid, signal.SIGKILL)
        for call in (first, second):
            with pytest.raises(EngineError, match="its process ended"):
                await anext(call)
    with await child.open() as call:
        await call.send("again")
        assert await anext(call) == ["echo", "again"]
        assert child.pid != pid


async def test_what_had_arrived_before_the_death_is_still_read(child):
    with await child.open() as call:
        await call.send("one")
        await call.send("die")
        assert await anext(call) == ["echo", "one"]
        with pytest.raises(EngineError, match="its process ended"):
            await anext(call)


async def test_what_a_library_prints_goes_to_the_log_and_not_between_frames(child, caplog):
    with await child.open() as call:
        await call.send("print")
        assert await anext(call) == "printed"
    await child.close()
    assert "a line on stdout" in caplog.text


async def test_the_parents_secrets_stay_with_the_parent(child, monkeypatch):
    monkeypatch.setenv("LLM_API_KEY", "hush")
    with await child.open() as call:
        await call.send("environment")
        environment = await anext(call)
    assert "hush" not in environment.values()
    assert "PATH" in environment


async def test_it_shrugs_off_the_signals_of_terminals_and_supervisors(child):
    await child.start()
    pid = child.pid
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    with await child.open() as call:
        await call.send(1)
        assert await anext(call) == ["echo", 1]
    assert child.pid == pid


async def test_a_child_that_cannot_serve_is_told_in_words():
    child = Child(ECHO, {"broken": True}, engine="asr")
    with pytest.raises(EngineError, match="did not start: RuntimeError: cannot serve"):
        await child.start()
    await child.close()


async def test_closing_fails_open_streams_and_leaves_no_process_and_no_thread():
    child = Child(ECHO, {}, engine="tts")
    call = await child.open()
    process = child._process
    await child.close()
    await child.close()
    assert process.returncode == 0
    with pytest.raises(EngineError):
        await anext(call)
    with pytest.raises(EngineError, match="closed"):
        await child.open()
    waiting = [thread for thread in threading.enumerate() if "waitpid" in thread.name]
    for thread in waiting:
        thread.join(timeout=5)
    assert not any(thread.is_alive() for thread in waiting)


def stopped(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


async def test_a_child_that_does_not_end_by_itself_is_killed(monkeypatch, caplog):
    monkeypatch.setattr("pipeline.engines.child.CLOSE_LIMIT_S", 0.05)
    child = Child(ECHO, {}, engine="tts")
    await child.start()
    process = child._process
    os.kill(child.pid, signal.SIGSTOP)
    while not stopped(child.pid):  # the signal is sent, which does not mean that each thread stands yet
        await asyncio.sleep(0.001)
    await child.close()
    assert process.returncode == -signal.SIGKILL
    assert "did not end by itself" in caplog.text


async def test_a_process_that_cannot_be_made_is_told_in_words(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    child = Child(ECHO, {}, engine="tts")
    with pytest.raises(EngineError, match="did not start: .*nowhere"):
        await child.start()
    await child.close()


async def test_a_start_that_is_cancelled_leaves_no_process():
    child = Child(ECHO, {}, engine="tts")
    starting = asyncio.create_task(child.start())
    while child.pid is None:
        await asyncio.sleep(0)
    process = child._process
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert process.returncode is not None
    await child.close()


def test_a_child_exits_when_its_parent_dies():
    """The parent's death closes the pipe; here we are the parent and close it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.engines.child_main", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdin.write(frames.pack(Frame(0, frames.OPEN, {})))
        process.stdin.flush()
        assert frames.read_frame(process.stdout.read) == Frame(0, frames.OPEN)
        process.stdin.write(
            frames.pack(Frame(1, frames.OPEN, ["", None])) + frames.pack(Frame(1, frames.ITEM, "until aborted"))
        )
        process.stdin.flush()
        assert frames.read_frame(process.stdout.read).kind == frames.ITEM
        process.stdin.close()
        assert process.wait(timeout=10) == 0


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.integers(0, 2**31), st.sampled_from([frames.ITEM, frames.MORE, frames.END]), json_like)
def test_a_frame_comes_back_as_it_was(stream, kind, body):
    packed = frames.pack(Frame(stream, kind, body))
    assert frames.unpack(packed[frames.HEADER.size :]) == Frame(stream, kind, body)


def test_a_length_no_frame_has_is_refused():
    with pytest.raises(ValueError, match="the pipe carries something else"):
        frames.size_of(b"\xff\xff\xff\xff")


def run(stream):
    while stream.ready:
        stream.step()


@given(st.lists(st.one_of(st.just("item"), st.just("more"), st.just("end"), st.just("abort")), max_size=60))
def test_a_stream_in_the_child_never_sends_more_than_was_asked_for(steps):
    written = []
    stream = Stream(1, written.append)
    stream.open(serve({}), None)
    allowed = WINDOW
    for step in steps:
        match step:
            case "item":
                stream.take(Frame(1, frames.ITEM, ["count", 9]))
            case "more":
                stream.take(Frame(1, frames.MORE, 5))
                allowed += 5
            case "end":
                stream.take(Frame(1, frames.END))
            case "abort":
                stream.take(Frame(1, frames.ABORT))
        run(stream)
        assert [frame.kind for frame in written].count(frames.ITEM) <= allowed


def test_one_long_answer_does_not_starve_another_stream():
    written = []
    switch = Switch(serve({"prefix": "p"}), written.append)
    for number, item in ((1, ["count", 50]), (2, "short")):
        switch.receive(Frame(number, frames.OPEN, ["", None]))
        switch.receive(Frame(number, frames.ITEM, item))
    switch._take_frames(wait=True)
    for _ in range(2):
        for stream in switch._streams.values():
            stream.step()
    assert Frame(2, frames.ITEM, ["p", "short"]) in written
    assert [frame.body for frame in written if frame.stream == 1 and frame.kind == frames.ITEM] == [0]
