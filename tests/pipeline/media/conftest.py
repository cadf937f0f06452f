"""Calls on loopback, and proof after each test that no socket was left behind."""

import asyncio
import math
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from pipeline.core.clock import MonotonicClock
from pipeline.media.addresses import LOOPBACK, gather_only
from pipeline.media.peer import Peer, answer
from tests.fakes.caller import Caller

OFFERS = Path(__file__).parent / "offers"
Call = Callable[[], Awaitable[tuple[Peer, Caller]]]


def open_files() -> int:
    """Without the log, which opens with its first line and stays open."""
    files = [file for file in Path("/proc/self/fd").iterdir() if file.exists()]
    return sum(1 for file in files if file.resolve().suffix != ".log")


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    gather_only(LOOPBACK)
    yield
    gather_only()


@pytest.fixture(autouse=True)
async def no_file_left() -> AsyncIterator[None]:
    """Sockets above all. Tasks and threads: tests/conftest.py."""
    files = open_files()
    yield
    for _ in range(10):  # a socket that is told to close does so at the loop's next turns
        await asyncio.sleep(0)
    assert open_files() <= files


@pytest.fixture
async def call(no_file_left: None) -> AsyncIterator[Call]:
    """Makes calls that stand: `peer, caller = await call()`. Both ends are closed afterwards."""
    ends: list[Peer | Caller] = []

    async def made() -> tuple[Peer, Caller]:
        caller, clock = Caller(), MonotonicClock()
        ends.append(caller)
        peer, sdp = await answer(await caller.offer(), clock=clock, session_t0=clock.now())
        ends.insert(0, peer)
        await caller.accept(sdp)
        await asyncio.wait_for(caller.control_open.wait(), 15)
        return peer, caller

    yield made
    for end in ends:
        await end.close()


def tone(hz: float, seconds: float, rate_hz: int, peak: int = 9000) -> bytes:
    """A sine, mono s16le, beginning and ending at full swing (so that a hard cut would click)."""
    count = int(seconds * rate_hz)
    return array("h", (int(peak * math.cos(2 * math.pi * hz * i / rate_hz)) for i in range(count))).tobytes()
