"""The audio door: who gets through it, and what becomes of the line behind it. Real sockets on both sides."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from pipeline.contracts.audio import Sound
from pipeline.contracts.packets import pack_microphone, unpack_voice
from pipeline.core.clock import MonotonicClock
from pipeline.media.websocket_line import TEXT_BYTES, WebSocketLine
from pipeline.worker import audio_door
from pipeline.worker.audio_door import AudioDoor
from pipeline.worker.settings import WorkerSettings
from tests.services import free_port


@asynccontextmanager
async def a_door(folder: Path, **settings: Any) -> AsyncIterator[AudioDoor]:
    door = AudioDoor(WorkerSettings(folder, **{"audio_dir": folder / "audio", **settings}))
    await door.open()
    try:
        yield door
    finally:
        await door.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[AudioDoor]:
    async with a_door(tmp_path) as one:
        yield one


@asynccontextmanager
async def a_line() -> AsyncIterator[WebSocketLine]:
    clock = MonotonicClock()
    line = WebSocketLine(clock, clock.now())
    try:
        yield line
    finally:
        await line.close()


def knock(door: AudioDoor, ticket: str | None) -> Any:
    headers = {} if ticket is None else {"Authorization": f"Bearer {ticket}"}
    options: dict[str, Any] = {"additional_headers": headers, "compression": None}
    if door.address.startswith("unix:"):
        return unix_connect(door.address.removeprefix("unix:"), **options)
    return connect(door.address, proxy=None, **options)


async def refused(door: AudioDoor, ticket: str | None) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        async with knock(door, ticket):
            pass
    return refusal.value.response.status_code


async def carried(socket: ClientConnection, line: WebSocketLine) -> None:
    """Until the line has its socket."""
    async with asyncio.timeout(5):
        while not line.control({"type": "beat"}):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("where", [{}, {"audio_bind": "127.0.0.1"}, {"audio_bind": "::1"}], ids=["unix", "4", "6"])
async def test_a_ticket_opens_the_door_and_sound_goes_both_ways(tmp_path: Path, where: dict[str, Any]) -> None:
    async with a_door(tmp_path, **where) as door, a_line() as line:
        heard: asyncio.Queue[Sound] = asyncio.Queue()
        line.microphone.attach(heard.put_nowait, lambda: None)
        async with knock(door, door.expect(line)) as socket:
            await socket.send(pack_microphone(0, b"\x01" * 640))
            async with asyncio.timeout(5):
                assert (await heard.get()).pcm == b"\x01" * 640
                line.speaker.begin(4, lambda: None)
                await line.speaker.play(b"\x02" * 960, 24_000)
                assert unpack_voice(await socket.recv(), "s1").payload == b"\x02" * 960
        assert await line.closed() == "closed"


async def test_a_ticket_is_good_once(door: AudioDoor) -> None:
    async with a_line() as line:
        ticket = door.expect(line)
        async with knock(door, ticket) as socket:
            await carried(socket, line)
            assert await refused(door, ticket) == HTTPStatus.FORBIDDEN
            assert line.control({"type": "beat"}), "who came first is not disturbed"


@pytest.mark.parametrize("ticket", [None, "", "x", "Bearer", "\x00", "ticket " * 500])
async def test_without_a_ticket_of_this_door_nobody_gets_through(door: AudioDoor, ticket: str | None) -> None:
    async with a_line() as line:
        good = door.expect(line)
        with pytest.raises((WebSocketException, ValueError, OSError)):
            async with knock(door, ticket):
                pytest.fail("let in")
        async with knock(door, good) as socket:
            await carried(socket, line)


async def test_a_ticket_that_comes_too_late_is_worth_nothing_and_the_line_has_given_up(
    door: AudioDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio_door, "TICKET_S", 0.05)
    async with a_line() as line:
        ticket = door.expect(line)
        assert await line.closed() == "failed"
        assert await refused(door, ticket) == HTTPStatus.FORBIDDEN


async def test_a_line_that_has_ended_meanwhile_is_gone(door: AudioDoor) -> None:
    async with a_line() as line:
        ticket = door.expect(line)
        await line.close()
        assert await refused(door, ticket) == HTTPStatus.GONE


@pytest.mark.parametrize("message", ["x" * (TEXT_BYTES + 1), b"\x01" * (TEXT_BYTES + 1)])
async def test_a_huge_message_closes_its_socket_and_no_other(door: AudioDoor, message: str | bytes) -> None:
    async with (
        a_line() as one,
        a_line() as other,
        knock(door, door.expect(one)) as bad,
        knock(door, door.expect(other)) as good,
    ):
        await bad.send(message)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await bad.recv()
        assert bad.close_code == 1009
        await good.send('{"type": "beat"}')
        await carried(good, other)


async def test_garbage_closes_with_4400_in_words(door: AudioDoor) -> None:
    async with a_line() as line, knock(door, door.expect(line)) as socket:
        await socket.send(b"\x07" * 30)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await socket.recv()
        assert (socket.close_code, "version 7" in socket.close_reason) == (4400, True)
        assert await line.closed() == "failed"


async def test_what_was_told_last_is_heard_before_the_goodbye(door: AudioDoor) -> None:
    async with a_line() as line, knock(door, door.expect(line)) as socket:
        await carried(socket, line)
        line.control({"event": "ended", "reason": "hangup"})
        await line.close()
        texts = [json.loads(text) async for text in socket]
        assert texts[-1] == {"event": "ended", "reason": "hangup"}
        assert (socket.close_code, socket.close_reason) == (1000, "Goodbye.")


async def test_a_reader_that_takes_nothing_holds_the_voice_up_and_the_line_still_closes_in_time(
    door: AudioDoor,
) -> None:
    async with a_line() as line, knock(door, door.expect(line)) as socket:
        await carried(socket, line)
        socket.transport.pause_reading()
        line.speaker.begin(1, lambda: None)
        playing = asyncio.create_task(line.speaker.play(bytes(48_000 * 20), 24_000))
        sent = -1
        async with asyncio.timeout(20):
            while sent != line.speaker.packets_out or not sent:
                sent = line.speaker.packets_out
                await asyncio.sleep(0.2)
        assert not playing.done()
        assert sent * 1224 < 400_000, "what waits in buffers is bounded"
        began = time.monotonic()
        await line.close()
        assert time.monotonic() - began < 3.5
        await playing
        socket.transport.abort()


async def test_the_unix_socket_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door:
        path = Path(door.address.removeprefix("unix:"))
        assert path.is_socket()
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.exists()


async def test_sockets_of_killed_workers_are_swept_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    async with a_door(tmp_path) as living:
        dead = tmp_path / "audio" / "1-dead.sock"
        server = await asyncio.start_unix_server(lambda r, w: None, dead)
        server.close()
        await server.wait_closed()
        if not dead.exists():  # Python 3.13 takes it away itself
            dead.touch()
        async with a_door(tmp_path):
            assert not dead.is_socket()
            assert Path(living.address.removeprefix("unix:")).is_socket()


async def test_a_folder_whose_name_is_too_long_for_a_socket_is_replaced(tmp_path: Path) -> None:
    async with a_door(tmp_path, audio_dir=tmp_path / ("long" * 40)) as door, a_line() as line:
        async with knock(door, door.expect(line)) as socket:
            await carried(socket, line)
        folder = Path(door.address.removeprefix("unix:")).parent
    assert not folder.exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "ws://127.0.0.1:{}/"),
        ("worker-7.internal", "ws://worker-7.internal:{}/"),
        ("worker-7.internal:9000", "ws://worker-7.internal:9000/"),
        ("2001:db8::7", "ws://[2001:db8::7]:{}/"),
        ("[2001:db8::7]:9000", "ws://[2001:db8::7]:9000/"),
    ],
)
async def test_the_address_that_is_told_is_the_one_that_is_set(tmp_path: Path, address: str, told: str) -> None:
    async with a_door(tmp_path, audio_bind="127.0.0.1", audio_address=address) as door:
        assert door._server is not None
        port = next(iter(door._server.sockets)).getsockname()[1]
        assert door.address == told.format(port)


async def test_workers_of_one_machine_take_one_port_after_the_other(tmp_path: Path) -> None:
    first = free_port()
    where = {"audio_bind": "127.0.0.1", "audio_port": first}
    async with a_door(tmp_path, **where) as one, a_door(tmp_path, **where) as other, a_line() as line:
        assert one.address == f"ws://127.0.0.1:{first}/"
        assert other.address != one.address
        async with knock(other, other.expect(line)) as socket:
            await carried(socket, line)


async def test_an_address_that_is_not_this_machines_cannot_be_listened_on(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="192.0.2.1"):
        async with a_door(tmp_path, audio_bind="192.0.2.1", audio_port=free_port()):
            pytest.fail("open")


async def test_a_door_that_closes_lets_those_go_who_are_expected(tmp_path: Path) -> None:
    async with a_line() as line:
        async with a_door(tmp_path) as door:
            door.expect(line)
        assert await line.closed() == "failed"
