"""Sliding windows, exact: in any `WINDOW_S` seconds no more is admitted than the limit says.

A subject's log is the times of its last `limit` admissions. Whoever comes is admitted when the oldest of them is a
window old; else it is known to the microsecond when that will be so. In Redis one script reads, judges and writes, by
Redis' own clock: processes and their clocks make no difference. Where one process is all there is, and while Redis is
away (which must not close the doors), the log is in this process's memory.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

WINDOW_S: Final = 60
WINDOW_US: Final = WINDOW_S * 1_000_000
MOST_SUBJECTS: Final = 20_000
"""In memory. One more, and the subject that was admitted least recently is forgotten."""
CONNECTIONS: Final = 8
"""To Redis, of one process."""
REDIS_LIMIT_S: Final = 2.0
"""A Redis that does not answer within it is away."""
ASK_AGAIN_S: Final = 5.0
"""So long after that it is not asked: nobody waits REDIS_LIMIT_S for each of many requests."""


class MemoryWindows:
    """Of one process and one event loop. `clock`: microseconds, never backwards."""

    def __init__(self, clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000, most: int = MOST_SUBJECTS):
        self._clock, self._most = clock, most
        self._logs: OrderedDict[str, deque[int]] = OrderedDict()
        """By their last admission, the oldest first."""

    def take(self, keys: Sequence[str], limit: int) -> int:
        """Counts one for each of these subjects, or for none: microseconds until one would be admitted; 0: it was."""
        now = self._clock()
        self._forget(now)
        # The newest is on the left.
        full = [log[limit - 1] for key in keys if (log := self._logs.get(key)) and len(log) >= limit]
        wait = max((at + WINDOW_US - now for at in full), default=0)
        if wait > 0:
            return wait
        for key in keys:
            entries = self._logs.setdefault(key, deque())
            entries.appendleft(now)
            while len(entries) > limit:
                entries.pop()
            self._logs.move_to_end(key)
        return 0

    def clear(self) -> None:
        self._logs.clear()

    def __len__(self) -> int:
        return len(self._logs)

    def _forget(self, now: int) -> None:
        """Whose last admission is a window old, and who is one too many."""
        while self._logs:
            key, entries = next(iter(self._logs.items()))
            if entries[0] + WINDOW_US > now and len(self._logs) < self._most:
                return
            del self._logs[key]


_TAKE: Final = """
local clock, limit, window = redis.call('TIME'), tonumber(ARGV[1]), tonumber(ARGV[2])
local now, wait = clock[1] * 1000000 + clock[2], 0
for _, key in ipairs(KEYS) do
  now = math.max(now, tonumber(redis.call('LINDEX', key, 0) or 0))
end
for _, key in ipairs(KEYS) do
  local oldest = redis.call('LINDEX', key, limit - 1)
  if oldest then wait = math.max(wait, tonumber(oldest) + window - now) end
end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
  redis.call('LPUSH', key, string.format('%.0f', now))
  redis.call('LTRIM', key, 0, limit - 1)
  redis.call('PEXPIRE', key, window / 1000)
end
return 0
"""
"""A clock that was set back stands still until it has caught up with the log: no entry may be newer than `now`. Lua's
own way to write such a number would round it to 14 digits."""


async def take_in_redis(redis: Any, keys: Sequence[str], limit: int, window_us: int = WINDOW_US) -> int:
    """As `MemoryWindows.take`. The keys must lie in one slot. Raises RedisError, OSError."""
    return int(await redis.eval(_TAKE, len(keys), *keys, limit, window_us))


class Windows:
    """Of this process: Redis where there is one (`url`), else memory. Used on one event loop at a time."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.own = MemoryWindows()
        self._url, self._clock = url, clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ask_at: float | None = None
        """When Redis is asked again; None: it answered when it was asked last."""

    async def take(self, keys: Sequence[str], limit: int) -> int:
        """As `MemoryWindows.take`."""
        if not self._url:
            return self.own.take(keys, limit)
        self._settle()
        # Who waits for a connection is not counted meanwhile: a flood must not pass for a Redis that is away.
        async with self._connections:
            if self._ask_at is not None and self._clock() < self._ask_at:
                return self.own.take(keys, limit)
            return await self._take_together(keys, limit)

    async def close(self) -> None:
        if self._loop is not None:
            self._loop = None
            await self._redis.aclose()

    async def _take_together(self, keys: Sequence[str], limit: int) -> int:
        try:
            wait = await take_in_redis(self._redis, keys, limit)
        except (RedisError, OSError) as error:
            if self._ask_at is None:
                log.warning("limits_counted_by_each_process", error=type(error).__name__)
            self._ask_at = self._clock() + ASK_AGAIN_S
            return self.own.take(keys, limit)
        if self._ask_at is not None:
            log.info("limits_counted_together_again")
            self._ask_at = None
        return wait

    def _settle(self) -> None:
        """Connections of this loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._connections = asyncio.Semaphore(CONNECTIONS)
            self._redis = Redis.from_url(
                self._url,
                max_connections=CONNECTIONS,
                socket_timeout=REDIS_LIMIT_S,
                socket_connect_timeout=REDIS_LIMIT_S,
                # A connection from before a restart of Redis gets a second try.
                retry=Retry(NoBackoff(), 1),
            )


windows: Final = Windows(settings.GOASSIST.redis_url.get_secret_value())
