from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.core.cache import cache

from tests.fakes.house import Business, make_business
from tests.fakes.worker import FakeWorker


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def riverside(transactional_db: None) -> Business:
    return make_business()


@pytest.fixture
def harbor(transactional_db: None) -> Business:
    return make_business()


@pytest.fixture
async def worker() -> AsyncIterator[FakeWorker]:
    await get_channel_layer().flush()
    async with FakeWorker() as fake:
        yield fake
    await get_channel_layer().flush()
