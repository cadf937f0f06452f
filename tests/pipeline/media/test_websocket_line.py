"""The line over a websocket: what is heard, what is told, and how it ends. The socket is a fake, the clock too."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError

from pipeline.contracts.audio import Sound
from pipeline.contracts.errors import MediaError
from pipeline.contracts.packets import MICROPHONE_PCM_BYTES, pack_microphone, unpack_voice
from pipeline.media.websocket_line import BEHIND, WebSocketLine
from tests.fakes.clock import FakeClock, settle

PCM = bytes(range(256)) * 2 + bytes(128)


class FakeSocket:
    """`taking`: cleared, the other end takes nothing."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.closed: tuple[int, str] | None = None
        self.taking = asyncio.Event()
        self.taking.set()
        self.close_code: int | None = None
        self._coming: asyncio.Queue[Any] = asyncio.Queue()

    def say(self, *messages: str | bytes) -> None:
        for message in messages:
            self._coming.put_nowait(message)

    def leave(self, code: int) -> None:
        self.close_code = code
        self._coming.put_nowait(None if code in (1000, 1001) else ConnectionClosedError(None, None))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self._coming.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message

    async def send(self, message: str | bytes) -> None:
        await self.taking.wait()
        self.sent.append(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.closed is None:
            self.closed = (code, reason)
            self.leave(1000)
            self.close_code = code

    def texts(self) -> list[dict[str, Any]]:
        return [json.loads(message) for message in self.sent if isinstance(message, str)]


class Call:
    def __init__(self) -> None:
        self.clock, self.socket = FakeClock(), FakeSocket()
        self.line = WebSocketLine(self.clock, self.clock.now())
        self.heard: list[Sound] = []
        self.ends = 0
        self.said: list[dict[str, Any]] = []
        self.line.microphone.attach(self.heard.append, self._end)
        self.line.on_control = self.said.append
        self.carrying: asyncio.Task[None] | None = None

    def _end(self) -> None:
        self.ends += 1

    async def connect(self) -> "Call":
        self.carrying = asyncio.create_task(self.line.carry(self.socket))
        await settle()
        return self

    async def close(self) -> None:
        self.socket.taking.set()
        await self.line.close()
        if self.carrying is not None:
            await asyncio.wait({self.carrying})


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    one = Call()
    yield one
    await one.close()


async def test_sound_is_handed_over_in_the_moment_it_comes_counted_in_samples(call: Call) -> None:
    await call.connect()
    for seq in range(5):
        await call.clock.advance(0.02)
        call.socket.say(pack_microphone(seq, PCM))
        await settle()
    assert [sound.pcm for sound in call.heard] == [PCM] * 5
    assert [round(sound.t_audio_ms) for sound in call.heard] == [0, 20, 40, 60, 80]
    assert call.line.last_heard == call.clock.now()


async def test_what_the_page_left_out_is_silence_and_the_time_goes_on(call: Call) -> None:
    await call.connect()
    await call.clock.advance(1)
    for seq, later_s in ((0, 0.0), (3, 0.06), (40, 0.74)):
        await call.clock.advance(later_s)
        call.socket.say(pack_microphone(seq, PCM))
        await settle()
    assert [any(sound.pcm) for sound in call.heard] == [True, False, False, True, True]
    assert call.line.stats()["packets_lost"] == 2 + 36
    times = [sound.t_audio_ms for sound in call.heard[:4]]
    assert [b - a for a, b in zip(times, times[1:], strict=False)] == pytest.approx([20, 20, 20])


async def test_whoever_talks_faster_than_time_is_not_heard(call: Call) -> None:
    await call.connect()
    call.socket.say(*(pack_microphone(seq, PCM) for seq in range(1000)))
    await settle(1100)
    assert len(call.heard) <= 151
    assert call.line.stats()["frames_dropped"] >= 849


async def test_control_messages_go_both_ways_and_faces_one(call: Call) -> None:
    await call.connect()
    call.socket.say('{"type": "beat"}', '{"type": "stop"}')
    assert call.line.control({"type": "beat", "t_audio_ms": 5})
    assert call.line.face({"blendshapes": {"jawOpen": 0.5}})
    await settle()
    assert call.said == [{"type": "beat"}, {"type": "stop"}]
    assert call.socket.texts() == [{"type": "beat", "t_audio_ms": 5}, {"blendshapes": {"jawOpen": 0.5}}]


async def test_the_voice_comes_as_packets_in_order_with_what_is_told(call: Call) -> None:
    await call.connect()
    call.line.speaker.begin(1, lambda: call.line.control({"type": "reply"}))
    playing = asyncio.create_task(call.line.speaker.play(bytes(9600), 24_000))
    await call.clock.advance(1)
    await playing
    kinds = ["text" if isinstance(message, str) else "sound" for message in call.socket.sent]
    assert kinds == ["text"] + ["sound"] * 10
    packets = [unpack_voice(message, "s1") for message in call.socket.sent if isinstance(message, bytes)]
    assert [packet.reply for packet in packets] == [1] * 10


async def test_a_socket_that_is_behind_loses_faces_first_then_holds_the_voice_and_keeps_what_is_told(
    call: Call,
) -> None:
    await call.connect()
    call.socket.taking.clear()
    call.line.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(call.line.speaker.play(bytes(14_400), 24_000))
    await call.clock.advance(2)
    assert call.line.speaker.packets_out <= BEHIND + 2
    assert not call.line.face({"blendshapes": {}})
    assert call.line.control({"type": "stop"})
    call.line.speaker.flush()
    call.socket.taking.set()
    await call.clock.advance(1)
    await playing
    assert call.socket.texts() == [{"type": "stop"}]
    assert call.line.face({"blendshapes": {}})


async def test_nothing_is_told_before_there_is_a_socket(call: Call) -> None:
    assert not call.line.control({"type": "beat"})
    await call.connect()
    await settle()
    assert call.socket.sent == []


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_page_that_leaves_ends_the_line(call: Call, code: int) -> None:
    await call.connect()
    call.socket.leave(code)
    assert await call.line.closed() == "closed"


@pytest.mark.parametrize("code", [1006, 1011, 1012])
async def test_a_page_that_is_lost_may_come_back_as_the_next_leg(call: Call, code: int) -> None:
    await call.connect()
    call.socket.leave(code)
    await settle()
    waiting = asyncio.create_task(call.line.closed())
    await call.clock.advance(10)
    assert not waiting.done()
    assert not call.line.control({"type": "beat"}), "nobody hears it"
    call.line.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(call.line.speaker.play(bytes(96_000), 24_000))
    await call.clock.advance(3)
    assert playing.done(), "a reply goes on, as over any dead line, until somebody ends it"
    await call.line.close()
    assert await waiting == "closed"


async def test_nobody_who_comes_ends_the_line_as_a_failure(call: Call) -> None:
    assert call.line.wanted
    call.line.give_up()
    assert await call.line.closed() == "failed"
    assert not call.line.wanted


async def test_what_was_told_goes_out_before_the_goodbye(call: Call) -> None:
    await call.connect()
    call.line.control({"event": "ended", "reason": "hangup"})
    await call.line.close()
    assert call.socket.texts() == [{"event": "ended", "reason": "hangup"}]
    assert call.socket.closed == (1000, "Goodbye.")
    assert call.ends == 1
    await call.line.close()


async def test_whoever_attaches_to_a_line_that_is_over_is_told(call: Call) -> None:
    await call.connect()
    await call.line.close()
    ended: list[bool] = []
    call.line.microphone.attach(call.heard.append, lambda: ended.append(True))
    assert ended == [True]


async def test_a_control_message_that_cannot_be_handled_ends_nothing(call: Call, caplog: Any) -> None:
    await call.connect()

    def break_down(message: dict[str, Any]) -> None:
        raise KeyError("no such thing")

    call.line.on_control = break_down
    call.socket.say('{"type": "beat"}', pack_microphone(0, PCM))
    await settle()
    assert len(call.heard) == 1
    assert "could not be handled" in caplog.text


async def test_there_are_no_candidates_here(call: Call) -> None:
    with pytest.raises(MediaError):
        await call.line.add_candidate("candidate:1", "0", 0)


GARBAGE = st.one_of(
    st.binary(max_size=700).filter(lambda data: len(data) != MICROPHONE_PCM_BYTES + 8),
    st.text(max_size=50).filter(lambda text: not text.lstrip().startswith("{")),
    st.sampled_from(["[]", "null", '"text"', "{", "[" * 9000, '{"a": "' + "x" * 20_000 + '"}']),
)


@hypothesis_settings(max_examples=60)
@given(GARBAGE)
def test_garbage_closes_the_socket_in_words(message: str | bytes) -> None:
    async def hear() -> None:
        call = await Call().connect()
        call.socket.say(message)
        await settle()
        assert call.socket.closed is not None
        code, reason = call.socket.closed
        assert code == 4400
        assert "packet" in reason or "JSON" in reason
        assert await call.line.closed() == "failed"
        await call.close()

    asyncio.run(hear())
