"""Recordings on a worker's disk: written, locked, shipped, and left to no one when they are not wanted."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.errors import WireError
from pipeline.contracts.recording import Recording
from pipeline.contracts.wire import Record
from pipeline.media.ogg import length_ms
from pipeline.worker import metrics, recorder, shipping
from pipeline.worker.shipping import Shipping
from tests.pipeline.media.test_ogg import pitch_hz, sides
from tests.pipeline.worker.conftest import a_worker, tone

VISITOR, AGENT = b"\x10\x20" * 8000, b"\x10\x30" * 12000
"""Half a second of each."""


def a_recording(at_ms: float = 0.0, session: str = "ses_1") -> Recording:
    return Recording(session, "ten_1", 1, at_ms, 1000.0)


class Store:
    """Where recordings are kept; refuses `failures` times first."""

    def __init__(self, kept: Path, failures: int = 0) -> None:
        self.kept, self.failures = kept, failures
        self.got: list[tuple[Recording, int]] = []
        kept.mkdir()

    def __call__(self, recording: Recording, path: Path, length: int) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store is away")
        shutil.copy(path, self.kept / f"{recording.name}.ogg")
        self.got.append((recording, length))


@asynccontextmanager
async def shipped(directory: Path, keep: Callable[..., None]) -> AsyncIterator[Shipping]:
    """A recorder whose files are being shipped; ends as a worker does."""
    one = Shipping(directory, keep)
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.wait({task})
        await one.finish()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_finished_recording_is_shipped_and_leaves_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    async with shipped(tmp_path / "own", store) as shipping:
        tape = shipping.recorder.open(a_recording())
        assert tape is not None
        for _ in range(4):
            tape.write(VISITOR, AGENT, 24_000)
        await asyncio.sleep(0.1)
        assert store.got == [], "one that is being written is nobody's to ship"
        tape.close(keep=True)
        await until(lambda: store.got)
    assert store.got[0][0] == a_recording()
    assert store.got[0][1] == pytest.approx(2000, abs=60)
    assert list((tmp_path / "own").iterdir()) == []


async def test_one_that_is_not_wanted_any_more_is_never_seen_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    async with shipped(tmp_path / "own", store) as shipping:
        tape = shipping.recorder.open(a_recording())
        assert tape is not None
        tape.write(VISITOR, AGENT, 24_000)
        tape.close(keep=False)
    assert store.got == []
    assert list((tmp_path / "own").iterdir()) == []


async def test_a_store_that_is_away_is_asked_again_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "RETRY_FIRST_S", 0.01)
    store = Store(tmp_path / "kept", failures=2)
    async with shipped(tmp_path / "own", store) as ships:
        for at_ms in (0, 500):
            tape = ships.recorder.open(a_recording(at_ms))
            assert tape is not None
            tape.write(VISITOR, AGENT, 24_000)
            tape.close(keep=True)
        await until(lambda: len(store.got) == 2)
    assert {recording.t_audio_ms for recording, _ in store.got} == {0, 500}


KILLED = """
import os, sys, time
from pathlib import Path
from pipeline.contracts.recording import Recording
from pipeline.worker.recorder import DiskRecorder
tape = DiskRecorder(Path(sys.argv[1])).open(Recording("ses_1", "ten_1", 1, 0.0, 1000.0))
for _ in range(20):
    tape.write(b"\\x10\\x20" * 8000, b"\\x10\\x30" * 12000, 24000)
while tape._waiting:
    time.sleep(0.01)
print("written", flush=True)
sys.stdin.read()
os._exit(9)
"""


async def test_what_a_killed_worker_recorded_is_shipped_by_another(tmp_path: Path) -> None:
    own, store = tmp_path / "own", Store(tmp_path / "kept")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(own)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert await asyncio.to_thread(writer.stdout.readline) == "written\n"
        async with shipped(own, store):
            await asyncio.sleep(0.1)
            assert store.got == [], "its writer lives"
            writer.kill()
            await asyncio.to_thread(writer.wait)
            await until(lambda: store.got)
    assert store.got[0][1] >= 7_500
    assert list(own.iterdir()) == []


@pytest.mark.parametrize("about", ["", "{", "[]", '{"session_id": 1}', json.dumps(a_recording().to_wire())])
async def test_what_holds_no_recording_is_given_up_and_stops_nothing(tmp_path: Path, about: str) -> None:
    own, store = tmp_path / "own", Store(tmp_path / "kept")
    own.mkdir()
    (own / "ses_1.1.0.json").write_text(about)
    (own / "ses_1.1.0.ogg").write_bytes(b"no sound")
    async with shipped(own, store):
        await until(lambda: not list(own.iterdir()))
    assert store.got == []


async def test_a_disk_that_is_nearly_full_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SPARE_BYTES", 1 << 62)
    async with shipped(tmp_path / "own", Store(tmp_path / "kept")) as shipping:
        assert shipping.recorder.open(a_recording()) is None
        shutil.rmtree(tmp_path / "own")
        assert shipping.recorder.open(a_recording()) is None


@pytest.mark.parametrize("what", ["OggFile.write", "OggFile.close", "os.write"])
async def test_a_disk_that_fails_ends_the_recording_and_keeps_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    before = metrics.ERRORS.labels("recording")._value.get()
    async with shipped(tmp_path / "own", Store(tmp_path / "kept")) as shipping:
        monkeypatch.setattr(f"pipeline.worker.recorder.{what}", full)
        tape = shipping.recorder.open(a_recording())
        assert tape is not None
        tape.write(VISITOR, AGENT, 24_000)
        if what != "OggFile.close":
            await until(lambda: tape.broken)
        tape.write(VISITOR, AGENT, 24_000)
        tape.close(keep=True)
        await until(lambda: tape.broken)
    assert metrics.ERRORS.labels("recording")._value.get() > before


async def test_a_disk_that_is_too_slow_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "BEHIND_MOST", 3)
    async with shipped(tmp_path / "own", Store(tmp_path / "kept")) as shipping:
        shipping.recorder._thread.submit(time.sleep, 0.2)
        tape = shipping.recorder.open(a_recording())
        assert tape is not None
        for _ in range(5):
            tape.write(VISITOR, AGENT, 24_000)
        assert tape.broken
        tape.close(keep=True)


@given(
    st.one_of(
        st.none(), st.integers(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.integers()),
        st.fixed_dictionaries(dict.fromkeys(a_recording().to_wire(), st.one_of(st.none(), st.text(), st.floats()))),
    )
)  # fmt: skip
def test_only_a_recording_is_taken_for_one(message: Any) -> None:
    try:
        assert isinstance(Recording.from_wire(message), Recording)
    except WireError:
        return
    assert isinstance(message["session_id"], str)


# Through a whole worker -----------------------------------------------------------------------------------------------


async def test_a_real_call_is_recorded_on_both_sides(tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    own = tmp_path / "own"
    async with a_worker(tmp_path / "spool", keep=store, recordings_dir=own, drain_deadline_s=0.1) as worker:
        caller, answer = await worker.call("ses_1")
        await worker.layer.send(answer["mailbox"], Record("ses_1", True).to_wire())
        await caller.until(lambda: _last_event(caller, "recording").get("on"))
        began = time.monotonic()
        await caller.say(tone(1.0) + bytes(96_000))
        await caller.until(lambda: _last_event(caller, "turn.done").get("origin") == "voice")
        lasted_ms = (time.monotonic() - began) * 1000
        caller.send({"type": "hangup"})
        await until(lambda: store.got)
        await caller.close()
    assert store.got[0][1] == pytest.approx(lasted_ms, abs=700)
    heard = sides(next((tmp_path / "kept").iterdir()))
    assert pitch_hz(heard[0]) == pytest.approx(220, abs=3)
    assert abs(heard[1]).max() > 0.02, "the assistant is not on its side"
    assert length_ms(next((tmp_path / "kept").iterdir())) == store.got[0][1]


async def test_without_consent_nothing_of_a_call_is_on_the_disk(tmp_path: Path) -> None:
    store, own = Store(tmp_path / "kept"), tmp_path / "own"
    async with a_worker(tmp_path / "spool", keep=store, recordings_dir=own, drain_deadline_s=0.1) as worker:
        caller, _ = await worker.call("ses_1")
        await caller.say(tone(0.5))
        assert list(own.iterdir()) == []
        await caller.close()
    assert store.got == []


def _last_event(caller: Any, kind: str) -> dict[str, Any]:
    return next((message for message in reversed(caller.controls) if message.get("event") == kind), {})
