"""The rehearsal: what it makes ready, and that nothing which goes wrong in it keeps the doors shut."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from pipeline.contracts.errors import EngineError
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import WORKERS_GROUP, SpecChanged
from pipeline.worker.host import Host
from pipeline.worker.rehearsal import learn, rehearse
from pipeline.worker.settings import WorkerSettings
from tests.fakes.machine import a_spec
from tests.pipeline.worker.conftest import SCRIPTED, Worker


class Ears:
    """Knows which versions it was opened for."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.learned: list[str] = []
        self.open_now = 0
        self._failure = failure

    async def open(self, spec: AssistantSpec) -> "Ears":
        if self._failure:
            raise self._failure
        self.learned.append(spec.persona)
        self.open_now += 1
        return self

    async def close(self) -> None:
        self.open_now -= 1


class House:
    """The engines that a rehearsal touches."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asr = Ears(failure)
        self.retriever = self
        self.prepared: list[str] = []

    async def know(self, spec: AssistantSpec) -> None:
        self.prepared.append(spec.persona)


async def test_every_version_of_the_cast_is_made_ready_and_nothing_stays_open() -> None:
    house: Any = House()
    await rehearse(lambda: [a_spec(persona="one"), a_spec(persona="two")], house)
    assert set(house.prepared) == set(house.asr.learned) == {"one", "two"}
    assert house.asr.open_now == 0


@pytest.mark.parametrize("failure", [EngineError("asr", "deaf"), RuntimeError("unexpected")])
async def test_what_goes_wrong_is_only_logged(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    house: Any = House(failure)
    await rehearse(lambda: [a_spec()], house)
    await learn(a_spec(), house)
    assert caplog.text.count("may take longer") == 2


def database_away() -> list[AssistantSpec]:
    raise ConnectionError("the database is away")


async def test_a_worker_without_its_office_opens_its_doors(tmp_path: Path) -> None:
    layer = InMemoryChannelLayer()
    host = Host(WorkerSettings(spool_dir=tmp_path, engines=SCRIPTED), layer, lambda records: None, cast=database_away)
    running = asyncio.create_task(host.run())
    async with asyncio.timeout(10):
        await host.ready.wait()
    host.drain()
    await running


async def test_a_published_version_is_learned_before_anybody_calls(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: asyncio.Queue[str] = asyncio.Queue()

    async def note(spec: AssistantSpec, engines: object) -> None:
        learned.put_nowait(spec.persona)

    monkeypatch.setattr("pipeline.worker.host.learn", note)
    spec = a_spec(assistant_id="another", persona="Fresh.")
    await worker.layer.group_send(WORKERS_GROUP, SpecChanged("another", spec.to_manifest()).to_wire())
    async with asyncio.timeout(5):
        assert await learned.get() == "Fresh."
