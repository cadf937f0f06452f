"""The one queue."""

import asyncio

import pytest

from pipeline.contracts.errors import StreamEnded
from pipeline.core.stream import Stream, WhenFull
from tests.fakes.clock import settle


async def test_a_full_stream_makes_its_producer_wait() -> None:
    stream: Stream[int] = Stream(2)
    await stream.put(1)
    await stream.put(2)
    waiting = asyncio.create_task(stream.put(3))
    await settle()
    assert not waiting.done() and not stream.offer(4)
    assert await stream.get() == 1
    await waiting
    assert [await stream.get(), await stream.get()] == [2, 3]


async def test_drop_oldest_keeps_the_newest_and_counts() -> None:
    stream: Stream[int] = Stream(2, WhenFull.DROP_OLDEST)
    for i in range(5):
        assert stream.offer(i)
    assert [await stream.get(), await stream.get()] == [3, 4]
    assert stream.dropped == 3


async def test_a_closed_stream_gives_what_is_left_and_then_ends() -> None:
    stream: Stream[int] = Stream(2)
    await stream.put(1)
    stream.close()
    assert await stream.get() == 1
    with pytest.raises(StreamEnded):
        await stream.get()
    with pytest.raises(StreamEnded):
        await stream.put(2)


async def test_a_waiting_consumer_learns_of_the_end() -> None:
    stream: Stream[int] = Stream(1)
    waiting = asyncio.create_task(stream.get())
    await settle()
    stream.close()
    with pytest.raises(StreamEnded):
        await waiting


async def test_clearing_makes_room() -> None:
    stream: Stream[int] = Stream(1)
    await stream.put(1)
    waiting = asyncio.create_task(stream.put(2))
    await settle()
    assert stream.clear() == 1
    await waiting
    assert await stream.get() == 2
