"""The order of those who wait: the same in memory and, across web processes, in Redis."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from channels_redis.core import RedisChannelLayer

from pipeline.contracts import wire
from sessions_app.operations.queue import FORGOTTEN_S, HERE_S, MemoryQueue, Place, Queue, RedisQueue, no_room
from sessions_app.operations.seating import seated
from sessions_app.switchboard import Unreachable
from tests.services import Redis

NOW = 1_000_000.0
MOST = 5
Door = Callable[[], Queue]
"""Another web process's way to the same queue."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server here")
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "redis"])
async def door(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Door]:
    if request.param == "memory":
        only = MemoryQueue()
        yield lambda: only
        return
    url = request.getfixturevalue("redis").url
    layers: list[RedisChannelLayer] = []

    def another() -> Queue:
        layers.append(RedisChannelLayer(hosts=[url], prefix=tmp_path.name))
        return RedisQueue(layers[-1], "default")

    yield another
    for layer in layers:
        await layer.close_pools()


async def stand(queue: Queue, ticket: str, since: float, now: float = NOW, *, at_hand: bool = True) -> Place:
    return await queue.stand(ticket, since, now, MOST, at_hand=at_hand)


async def test_who_came_first_is_first_whichever_process_he_came_to(door: Door) -> None:
    one, other = door(), door()
    await stand(one, "second", NOW - 20)
    await stand(other, "first", NOW - 30)
    await stand(one, "third", NOW - 10)
    places = [(await stand(queue, t, NOW)).number for queue in (one, other) for t in ("first", "second", "third")]
    assert places == [1, 2, 3, 1, 2, 3]


async def test_asking_again_keeps_the_place_and_the_time(door: Door) -> None:
    queue = door()
    await stand(queue, "a", NOW - 5)
    await stand(queue, "b", NOW - 4)
    again = await stand(queue, "a", NOW + 9, NOW + 9)
    assert (again.number, again.waited_s) == (1, 14.0)


async def test_leaving_moves_the_others_up(door: Door) -> None:
    queue = door()
    for number, ticket in enumerate("abc"):
        await stand(queue, ticket, NOW + number)
    await queue.leave("a")
    await queue.leave("nobody")
    assert [(await stand(queue, t, NOW)).number for t in "bc"] == [1, 2]
    assert await queue.length(NOW) == 2


async def test_who_is_not_heard_of_any_more_is_forgotten(door: Door) -> None:
    queue, later = door(), NOW + FORGOTTEN_S
    await stand(queue, "gone", NOW)
    await stand(queue, "here", NOW + 1)
    assert (await stand(queue, "here", NOW, later)).number == 2
    assert (await stand(queue, "here", NOW, later + 1)).number == 1
    assert await queue.length(later + FORGOTTEN_S + 2) == 0


async def test_nobody_waits_for_who_is_not_at_hand(door: Door) -> None:
    queue = door()
    await stand(queue, "away", NOW)
    await stand(queue, "here", NOW + 1)
    place = await stand(queue, "here", NOW, NOW + HERE_S + 1)
    assert (place.number, place.ahead) == (2, 0)
    back = await stand(queue, "away", NOW, NOW + HERE_S + 2)
    assert (back.number, back.ahead) == (1, 0)
    assert (await stand(queue, "here", NOW, NOW + HERE_S + 2)).ahead == 1


async def test_a_full_queue_has_no_room_but_keeps_whom_it_has(door: Door) -> None:
    queue = door()
    for number in range(MOST):
        await stand(queue, str(number), NOW + number)
    assert await stand(queue, "late", NOW - 100) == no_room(MOST)
    assert (await stand(queue, "2", NOW)).number == 3
    await queue.leave("0")
    assert (await stand(queue, "late", NOW - 100)).number == 1


async def test_a_redis_that_is_away_is_said_in_words() -> None:
    layer = RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"])
    queue = RedisQueue(layer, "default")
    for asking in (stand(queue, "a", NOW), queue.leave("a"), queue.length(NOW)):
        with pytest.raises(Unreachable):
            await asking
    await layer.close_pools()


async def test_nobody_waits_for_those_who_only_keep_their_place(door: Door) -> None:
    queue = door()
    for i in range(MOST):
        assert (await stand(queue, f"asked once {i}", NOW - 10 + i, at_hand=False)).ahead == 0
    assert await stand(queue, "one too many", NOW) == no_room(0)
    assert await stand(queue, "asked once 0", NOW - 10) == Place(1, 0, 10.0)
    assert (await stand(queue, "asked once 3", NOW - 7)).ahead == 1


class Away:
    """A queue whose Redis was restarted a moment ago."""

    async def length(self, now: float) -> int:
        raise Unreachable("The exchange cannot be reached.")


async def test_a_queue_that_is_away_keeps_nobody_from_a_free_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions_app.operations.seating.queue_of", lambda pool: Away())
    answer = wire.Answer("s1", 1, "v=0", "mailbox", "w1")

    async def attempt() -> wire.Answer:
        return answer

    assert await seated("s1", 0.0, attempt, None) is answer
