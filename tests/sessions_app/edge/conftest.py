import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from websockets.asyncio.server import unix_serve

from sessions_app import switchboard
from sessions_app.operations import queue
from sessions_app.operations.windows import windows
from tests.fakes.desk import TICKET, Desk
from tests.fakes.house import Business, Caller, make_business
from tests.fakes.worker import FakeWorker


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any) -> Iterator[None]:
    queue._own.clear()
    settings.ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
    windows.own.clear()
    yield
    windows.own.clear()


@pytest.fixture
def riverside(transactional_db: None) -> Business:
    return make_business()


@pytest.fixture
def harbor(transactional_db: None) -> Business:
    return make_business()


@pytest.fixture
def server(riverside: Business) -> Caller:
    return Caller(riverside.secret_key)


@pytest.fixture
def visitor(riverside: Business) -> Caller:
    return Caller(riverside.token())


@pytest.fixture
def path(riverside: Business) -> str:
    return f"/sessions/{riverside.session.id}"


@pytest.fixture
async def worker() -> AsyncIterator[FakeWorker]:
    await get_channel_layer().flush()
    async with FakeWorker() as fake:
        yield fake
    await get_channel_layer().flush()


@pytest.fixture
def quick_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is there: offers and chats find out at once."""
    place, ask_chat = switchboard.place, switchboard.ask_chat
    monkeypatch.setattr(switchboard, "place", lambda **k: place(**k, deadline_s=0.0))
    monkeypatch.setattr(switchboard, "ask_chat", lambda *a: ask_chat(*a, sign_of_life_s=0.0))


@pytest.fixture
async def desk(worker: FakeWorker) -> AsyncIterator[Desk]:
    one = Desk()
    with tempfile.TemporaryDirectory() as folder:  # pytest's own paths may be too long for a socket
        path = Path(folder) / "door.sock"
        async with unix_serve(one.serve, path, compression=None):
            worker.audio, worker.ticket = f"unix:{path}", TICKET
            yield one
