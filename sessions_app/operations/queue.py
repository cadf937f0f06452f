"""Who waits for a seat, in which order: first come, first served, across all web processes.

Only the order is kept, no loads: seats are found by offering (`switchboard.place`). A ticket (a session's id) that
nobody asks about any more goes by itself. The queue lives where offers wait: in the channel layer's Redis, or in
memory where one process is all there is.
"""

import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

from channels.layers import get_channel_layer
from channels_redis.core import RedisChannelLayer

from sessions_app.switchboard import guarded

FORGOTTEN_S: Final = 20.0
"""A ticket that nobody asked about for so long is gone. Who asks by HTTP comes back every QUEUE_RETRY_S."""
HERE_S: Final = 3.0
"""Who asked so recently is at hand to take a seat; others keep their place, but nobody waits for them."""


@dataclass(frozen=True, slots=True)
class Place:
    number: int
    """1: next. 0: there is no room to wait in."""
    ahead: int
    """How many of those before are at hand."""
    waited_s: float


def no_room(here: int) -> Place:
    """`here`: how many of those who wait are at hand. Where none is, a free seat need not wait for them."""
    return Place(0, here, 0.0)


class Queue(Protocol):
    async def stand(self, ticket: str, since: float, now: float, most: int, *, at_hand: bool) -> Place:
        """The ticket's place; it joins if it is new, by `since` (epoch seconds), unless `most` wait already.

        `at_hand`: its owner waits for a seat, and will take it. Others only keep their place: no seat waits for them.
        """
        ...

    async def leave(self, ticket: str) -> None: ...

    async def length(self, now: float) -> int: ...


def seen_s(now: float, at_hand: bool) -> float:
    """Who is not at hand looks as if last seen too long ago to be waited for."""
    return now if at_hand else now - HERE_S - 1.0


class MemoryQueue:
    """Of one process, and the reference for the other one."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    async def stand(self, ticket: str, since: float, now: float, most: int, *, at_hand: bool) -> Place:
        self._forget(now)
        if ticket not in self._since and len(self._since) >= most:
            return no_room(sum(seen >= now - HERE_S for seen in self._seen.values()))
        self._since.setdefault(ticket, since)
        self._seen[ticket] = seen_s(now, at_hand)
        order = sorted(self._since, key=lambda t: (self._since[t], t))
        before = order[: order.index(ticket)]
        here = [t for t in before if self._seen[t] >= now - HERE_S]
        return Place(len(before) + 1, len(here), now - self._since[ticket])

    async def leave(self, ticket: str) -> None:
        self._since.pop(ticket, None)
        self._seen.pop(ticket, None)

    async def length(self, now: float) -> int:
        self._forget(now)
        return len(self._since)

    def _forget(self, now: float) -> None:
        for ticket in [t for t, seen in self._seen.items() if seen < now - FORGOTTEN_S]:
            del self._since[ticket], self._seen[ticket]


_FORGET: Final = """
for _, t in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1])) do
  redis.call('ZREM', KEYS[1], t)
  redis.call('ZREM', KEYS[2], t)
end
"""
_LENGTH: Final = f"{_FORGET} return redis.call('ZCARD', KEYS[1])"
_STAND: Final = f"""{_FORGET}
local ticket, since, now, here, most = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
if not redis.call('ZSCORE', KEYS[1], ticket) and redis.call('ZCARD', KEYS[1]) >= most then
  return {{0, redis.call('ZCOUNT', KEYS[2], here, '+inf'), '0'}}
end
redis.call('ZADD', KEYS[1], 'NX', since, ticket)
redis.call('ZADD', KEYS[2], now, ticket)
local rank, ahead = redis.call('ZRANK', KEYS[1], ticket), 0
if rank > 0 then
  for _, t in ipairs(redis.call('ZRANGE', KEYS[1], 0, rank - 1)) do
    if tonumber(redis.call('ZSCORE', KEYS[2], t)) >= tonumber(here) then ahead = ahead + 1 end
  end
end
redis.call('EXPIRE', KEYS[1], 120)
redis.call('EXPIRE', KEYS[2], 120)
return {{rank + 1, ahead, redis.call('ZSCORE', KEYS[1], ticket)}}
"""


class RedisQueue:
    """Two sorted sets: tickets by arrival, and by when they were last asked about. Raises Unreachable."""

    def __init__(self, layer: RedisChannelLayer, pool: str) -> None:
        self._layer = layer
        self._keys = [f"{layer.prefix}:queue:{{{pool}}}:{name}" for name in ("since", "seen")]

    async def stand(self, ticket: str, since: float, now: float, most: int, *, at_hand: bool) -> Place:
        arguments = (now - FORGOTTEN_S, ticket, since, seen_s(now, at_hand), now - HERE_S, most)
        async with guarded():
            number, ahead, arrived = await self._redis.eval(_STAND, 2, *self._keys, *arguments)
        return Place(number, ahead, now - float(arrived)) if number else no_room(ahead)

    async def leave(self, ticket: str) -> None:
        async with guarded():
            for key in self._keys:
                await self._redis.zrem(key, ticket)

    async def length(self, now: float) -> int:
        async with guarded():
            return int(await self._redis.eval(_LENGTH, 2, *self._keys, now - FORGOTTEN_S))

    @property
    def _redis(self) -> Any:
        """The layer's own connection of this event loop."""
        return self._layer.connection(0)


_own: dict[str, MemoryQueue] = {}


def queue_of(pool: str) -> Queue:
    layer = get_channel_layer()
    if isinstance(layer, RedisChannelLayer):
        return RedisQueue(layer, pool)
    return _own.setdefault(pool, MemoryQueue())


def epoch_s() -> float:
    """Machines agree to NTP: that is as exactly as their visitors came one after the other."""
    return time.time()
