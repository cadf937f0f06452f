"""What is kept in Redis goes on being reachable after Redis was restarted."""

import asyncio
from pathlib import Path

import pytest
from channels_redis.core import RedisChannelLayer

from goassist_site.stores import channel_layer
from tests.services import Redis

TOGETHER = 6
"""So many connections are in the pool when Redis goes."""


@pytest.fixture
def redis(tmp_path: Path):
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


async def errand(layer: RedisChannelLayer) -> str:
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "errand"})
    return (await layer.receive(channel))["type"]


async def test_no_pooled_connection_of_the_channel_layer_fails_a_caller_after_a_restart(redis: Redis) -> None:
    layer = RedisChannelLayer(**channel_layer(redis.url)["CONFIG"])
    await asyncio.gather(*(errand(layer) for _ in range(TOGETHER)))
    await asyncio.to_thread(redis.stop)
    await asyncio.to_thread(redis.start)
    for _ in range(TOGETHER):
        assert await asyncio.gather(*(errand(layer) for _ in range(TOGETHER))) == ["errand"] * TOGETHER
    await layer.flush()
