"""The cache behind the limits on guessing passwords goes on without Redis."""

from pathlib import Path

import pytest

from goassist_site.caches import RedisOrOwn
from tests.services import Redis


def test_without_redis_each_process_keeps_for_itself_and_with_it_again_all_together(tmp_path: Path) -> None:
    redis = Redis(tmp_path)
    redis.start()
    url = f"redis://127.0.0.1:{redis.port}/0"
    one, other = RedisOrOwn(url, {}), RedisOrOwn(url, {})
    try:
        one.set("a", 1)
        assert other.get("a") == 1
        redis.stop()
        assert one.add("b", 1)
        assert not one.add("b", 2)
        assert (one.get("b"), other.get("b")) == (1, 1)  # threads of one process
        assert one.incr("b") == 2
        assert one.get_many(["a", "b"]) == {"b": 2}
        assert one.delete("b")
        redis.start()
        one.set("c", 3)
        assert other.get("c") == 3
    finally:
        one.close()
        other.close()
        redis.stop()


@pytest.mark.parametrize("method", ["add", "get", "set", "delete", "incr"])
def test_an_address_where_nobody_is_answers_all_the_same(method: str) -> None:
    cache = RedisOrOwn("redis://127.0.0.1:9/0", {})
    cache.set("n", 1)
    arguments = {"add": ("x", 1), "set": ("x", 1)}.get(method, ("n",))
    getattr(cache, method)(*arguments)
    cache.close()
