"""A worker in this process: real host, real media, scripted engines, the in-memory channel layer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from channels.layers import InMemoryChannelLayer

from pipeline.contracts.dialogue import LegRecord, Record, TurnRecord
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Offer, offers_channel
from pipeline.worker.host import Host
from pipeline.worker.settings import WorkerSettings
from pipeline.worker.shipping import Keep
from tests.fakes.caller import Caller
from tests.fakes.machine import a_spec

SCRIPTED: dict[str, tuple[str, dict[str, Any]]] = {
    "vad": ("scripted", {}),
    "asr": ("scripted", {"lines": ["what are your hours"] * 50, "delay_ms": 20}),
    "llm": ("scripted", {"replies": ["We are open from nine until five, every day of the week except on Sundays."]}),
    "tts": ("scripted", {}),
    "face": ("scripted", {}),
}


def tone(seconds: float, hz: float = 220.0) -> bytes:
    """Something loud enough for the scripted VAD to take for speech; 48 kHz mono."""
    t = np.arange(int(48_000 * seconds)) / 48_000
    return (8000 * np.sin(2 * np.pi * hz * t)).astype(np.int16).tobytes()


@dataclass
class Worker:
    host: Host
    layer: InMemoryChannelLayer
    kept: list[Record] = field(default_factory=list)

    async def offer(
        self,
        session_id: str,
        sdp: str,
        leg: int = 1,
        spec: AssistantSpec | None = None,
        transport: str = "webrtc",
    ) -> dict[str, Any]:
        reply_to = await self.layer.new_channel()
        manifest = (spec or a_spec()).to_manifest()
        now = time.time()
        offer = Offer(session_id, leg, manifest, sdp, reply_to, now + 5, [], now, transport)
        await self.layer.send(offers_channel(), offer.to_wire())
        async with asyncio.timeout(5):
            return await self.layer.receive(reply_to)

    async def call(self, session_id: str) -> tuple[Caller, dict[str, Any]]:
        caller = Caller()
        answer = await self.offer(session_id, await caller.offer())
        await caller.accept(answer["sdp"])
        await caller.until(caller.control_open.is_set)
        return caller, answer

    def turns(self) -> list[TurnRecord]:
        return [r for r in self.kept if isinstance(r, TurnRecord) and r.kind == "told"]

    def ends(self) -> list[str]:
        return [r.reason for r in self.kept if isinstance(r, LegRecord) and r.kind == "ended"]


@asynccontextmanager
async def a_worker(tmp_path: Path, keep: Keep | None = None, **settings: Any) -> AsyncIterator[Worker]:
    layer = InMemoryChannelLayer()
    kept: list[Record] = []
    host = Host(WorkerSettings(spool_dir=tmp_path, engines=SCRIPTED, **settings), layer, kept.extend, keep=keep)
    task = asyncio.create_task(host.run())
    ready = asyncio.create_task(host.ready.wait())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Worker(host, layer, kept)
    finally:
        ready.cancel()
        host.drain()
        await task


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    async with a_worker(tmp_path, drain_deadline_s=0.1) as one:
        yield one
