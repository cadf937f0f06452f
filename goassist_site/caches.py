"""Django's cache in Redis, for people's logins: what counts their guesses must not keep them out when Redis is away."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

ASKED = ("add", "get", "set", "touch", "delete", "incr", "has_key", "get_many", "set_many", "delete_many", "clear")


class RedisOrOwn(RedisCache):
    """While Redis is away each process keeps for itself: limits are then a process's, and no longer everybody's."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, dict(params))
        self._own = LocMemCache("own", dict(params))
        self._away = False

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        try:
            answer = getattr(super(), name)(*args, **options)
        except (RedisError, OSError) as error:
            if not self._away:
                log.warning("cache_away", error=type(error).__name__)
            self._away = True
            return getattr(self._own, name)(*args, **options)
        self._away = False
        return answer


def _asking(name: str) -> Callable[..., Any]:
    def method(self: RedisOrOwn, *args: Any, **options: Any) -> Any:
        return self.ask(name, *args, **options)

    method.__name__ = name
    return method


for _name in ASKED:
    setattr(RedisOrOwn, _name, _asking(_name))
