"""Sliding windows are exact: in memory on a fake clock, in Redis with several real processes at once."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis as Client
from structlog.testing import capture_logs

from sessions_app.operations import windows as windows_module
from sessions_app.operations.windows import ASK_AGAIN_S, WINDOW_US, MemoryWindows, Windows, take_in_redis
from tests.services import Redis

ROOT = Path(__file__).parents[3]
SECOND = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.us = 7 * SECOND

    def __call__(self) -> int:
        return self.us


# In memory ----------------------------------------------------------------------------------------------------------


@given(gaps_us=st.lists(st.integers(0, 40 * SECOND), min_size=1, max_size=60), limit=st.integers(1, 6))
def test_in_any_window_no_more_than_the_limit_is_admitted(gaps_us: list[int], limit: int) -> None:
    clock = Clock()
    memory, admitted = MemoryWindows(clock), []
    for gap_us in gaps_us:
        clock.us += gap_us
        within = [at for at in admitted if at > clock.us - WINDOW_US]
        wait = memory.take(["k"], limit)
        # Admitted if, and only if, there is room.
        assert (wait == 0) == (len(within) < limit)
        if wait == 0:
            admitted.append(clock.us)
    for start in admitted:
        assert sum(start <= at < start + WINDOW_US for at in admitted) <= limit


@given(
    gaps_us=st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=30),
    limit=st.integers(1, 5),
    early_us=st.integers(1, WINDOW_US),
)
def test_whoever_waits_as_told_is_admitted_and_nobody_before(gaps_us: list[int], limit: int, early_us: int) -> None:
    clock = Clock()
    memory = MemoryWindows(clock)
    for gap_us in gaps_us:
        clock.us += gap_us
        wait = memory.take(["k"], limit)
        assert 0 <= wait <= WINDOW_US
        if wait:
            at = clock.us
            clock.us = max(at, at + wait - early_us)
            assert memory.take(["k"], limit) == at + wait - clock.us
            clock.us = at + wait
            assert memory.take(["k"], limit) == 0


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 30 * SECOND), st.sets(st.sampled_from("abc"), min_size=1)), min_size=1, max_size=40
    )
)
def test_one_that_counts_twice_is_counted_for_all_its_subjects_or_for_none(
    asked: list[tuple[int, set[str]]],
) -> None:
    clock, limit = Clock(), 2
    memory = MemoryWindows(clock)
    admitted: dict[str, list[int]] = {key: [] for key in "abc"}
    for gap_us, keys in asked:
        clock.us += gap_us
        room = all(sum(at > clock.us - WINDOW_US for at in admitted[key]) < limit for key in keys)
        assert (memory.take(sorted(keys), limit) == 0) == room
        if room:
            for key in keys:
                admitted[key].append(clock.us)


def test_memory_forgets_whoever_has_not_come_for_a_window() -> None:
    clock = Clock()
    memory = MemoryWindows(clock)
    for number in range(100):
        memory.take([f"{number}"], 5)
    clock.us += WINDOW_US
    memory.take(["new"], 5)
    assert len(memory) == 1


def test_memory_holds_so_many_subjects_and_no_more() -> None:
    clock = Clock()
    memory = MemoryWindows(clock, most=10)
    for number in range(1000):
        clock.us += 1
        memory.take([f"{number}"], 1)
        assert len(memory) <= 10
    assert memory.take(["999"], 1) > 0
    assert memory.take(["1"], 1) == 0


def test_a_limit_that_was_lowered_holds_at_once() -> None:
    clock = Clock()
    memory = MemoryWindows(clock)
    for _ in range(5):
        memory.take(["k"], 10)
    assert memory.take(["k"], 5) == WINDOW_US
    assert memory.take(["k"], 6) == 0


# In Redis -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server here")
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def client(redis: Redis) -> AsyncIterator[Any]:
    one = Client.from_url(redis.url)
    await one.flushall()
    yield one
    await one.aclose()


WORKER = """
import asyncio, json, sys
from redis.asyncio import Redis
from sessions_app.operations.windows import take_in_redis

async def main(url, window_us, limit, tries):
    redis = Redis.from_url(url)
    sys.stdin.readline()
    waits = []
    for _ in range(tries):
        waits.append(await take_in_redis(redis, ["{t}:a", "{t}:b"], limit, window_us))
    await redis.aclose()
    print(json.dumps(waits))

import os
os.environ["DJANGO_SETTINGS_MODULE"] = "goassist_site.settings"
asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
"""


def by_processes(redis: Redis, number: int, window_us: int, limit: int, tries: int) -> list[int]:
    """What so many processes were answered that ask at once."""
    command = [sys.executable, "-c", WORKER, redis.url, str(window_us), str(limit), str(tries)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [wait for process in running for wait in json.loads(process.communicate(timeout=60)[0])]


def test_many_processes_together_admit_exactly_the_limit(redis: Redis, client: Any) -> None:
    waits = by_processes(redis, number=4, window_us=WINDOW_US, limit=30, tries=200)
    assert len(waits) == 800
    assert waits.count(0) == 30
    assert all(0 < wait <= WINDOW_US for wait in waits if wait)


def test_many_processes_never_admit_more_over_many_windows(redis: Redis, client: Any) -> None:
    """Of 100 ms. Whoever was admitted last is `limit` admissions, and so a window, after another."""
    window_us, limit = 100_000, 5
    with redis_client.Redis.from_url(redis.url) as watch:
        before = _time_us(watch)
        waits = by_processes(redis, number=3, window_us=window_us, limit=limit, tries=1500)
        took_us = _time_us(watch) - before
    admitted = waits.count(0)
    assert limit <= admitted <= limit * (took_us // window_us + 1)


def _time_us(client: Any) -> int:
    seconds, us = client.time()
    return int(seconds) * SECOND + int(us)


async def test_redis_tells_when_there_is_room_again(client: Any) -> None:
    window_us = 2 * SECOND
    assert [await take_in_redis(client, ["a"], 2, window_us) for _ in range(2)] == [0, 0]
    entries = [int(at) for at in await client.lrange("a", 0, -1)]
    seconds, us = await client.time()
    wait = await take_in_redis(client, ["a"], 2, window_us)
    room_at = min(entries) + window_us
    # Asked at some moment after `time`: it never tells more than there was left then.
    assert 0 < wait <= room_at - (seconds * SECOND + us)
    await asyncio.sleep(wait / SECOND)
    assert await take_in_redis(client, ["a"], 2, window_us) == 0
    again = [int(at) for at in await client.lrange("a", 0, -1)]
    assert max(again) >= room_at


async def test_a_refused_one_is_counted_nowhere(client: Any) -> None:
    assert await take_in_redis(client, ["{t}:a"], 1) == 0
    assert await take_in_redis(client, ["{t}:b", "{t}:a"], 1) > 0
    assert await client.llen("{t}:b") == 0


async def test_what_redis_keeps_goes_by_itself_and_is_no_more_than_the_limit(client: Any) -> None:
    for _ in range(20):
        await take_in_redis(client, ["a"], 3)
    assert await client.llen("a") == 3
    assert 0 < await client.pttl("a") <= 60_000


async def test_a_clock_that_was_set_back_lets_nobody_in_early_or_out_late(client: Any) -> None:
    seconds, _ = await client.time()
    ahead = (seconds + 3600) * SECOND
    await client.lpush("a", ahead)
    assert await take_in_redis(client, ["a"], 1) == WINDOW_US
    assert await take_in_redis(client, ["a"], 2) == 0
    assert [int(at) for at in await client.lrange("a", 0, -1)] == [ahead, ahead]


# Redis, or this process alone -----------------------------------------------------------------------------------------


async def test_many_at_once_in_one_process_are_all_counted_in_redis(redis: Redis, client: Any) -> None:
    shared = Windows(redis.url)
    waits = await asyncio.gather(*(shared.take(["k"], 7) for _ in range(500)))
    await shared.close()
    assert waits.count(0) == 7
    assert await client.llen("k") == 7
    assert len(shared.own) == 0


async def test_without_redis_the_doors_stay_open_and_this_process_counts() -> None:
    now = 100.0
    shared = Windows("redis://127.0.0.1:1/0", clock=lambda: now)
    with capture_logs() as lines:
        assert [bool(await shared.take(["k"], 2)) for _ in range(3)] == [False, False, True]
        now += ASK_AGAIN_S + 1
        assert await shared.take(["k"], 2) > 0
    await shared.close()
    assert [line["event"] for line in lines] == ["limits_counted_by_each_process"]


async def test_a_redis_that_comes_back_is_asked_again(redis: Redis, client: Any) -> None:
    now = 100.0
    shared = Windows("redis://127.0.0.1:1/0", clock=lambda: now)
    await shared.take(["k"], 2)
    await shared.close()
    shared._url = redis.url
    await shared.take(["k"], 2)
    assert await client.llen("k") == 0
    now += ASK_AGAIN_S + 1
    with capture_logs() as lines:
        await shared.take(["k"], 2)
    assert await client.llen("k") == 1
    assert [line["event"] for line in lines] == ["limits_counted_together_again"]
    await shared.close()


async def test_a_redis_that_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "REDIS_LIMIT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        shared = Windows(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        waits = await asyncio.gather(*(shared.take(["k"], 3) for _ in range(100)))
        await shared.close()
    assert waits.count(0) == 3
