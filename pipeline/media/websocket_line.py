"""A visitor's connection where UDP is blocked: `core.ports.Line` over one websocket, which the web process relays.

Binary messages are sound (contracts.packets), text messages are the JSON of the data channels `control` and `face`.
A socket keeps its order, so whatever follows a `stop` or a `hold` belongs to what comes after it. Nothing waits to be
sent without bound: the voice is held up while the socket is behind, face frames are left out.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from websockets.exceptions import ConnectionClosed

from pipeline.contracts.errors import MediaError, StreamEnded, WireError
from pipeline.contracts.numbers import CLOSE_DEADLINE_S
from pipeline.core.ports import Clock
from pipeline.core.stream import Stream
from pipeline.media.pcm_microphone import PcmMicrophone
from pipeline.media.pcm_outlet import PcmOutlet
from pipeline.media.speaker import Speaker

log = logging.getLogger(__name__)

TEXT_BYTES = 16_384
"""Of a message from the page; of one to it, nothing is longer."""
OUTBOX = 256
"""Messages. A visitor this far behind has lost the connection; events come over the other websocket too."""
BEHIND = 4
"""So many messages that wait for the socket mean that it takes less than we send."""
BAD_MESSAGE = 4400
GOODBYE = 1000
LEFT = frozenset({1000, 1001})
"""Close codes of a page that has gone by itself. After any other it may come back, as the session's next leg."""


class Socket(Protocol):
    """A websocket connection, as `websockets` has them."""

    def __aiter__(self) -> AsyncIterator[str | bytes]: ...
    async def send(self, message: str | bytes) -> None: ...
    async def close(self, code: int = ..., reason: str = ...) -> None: ...
    @property
    def close_code(self) -> int | None: ...


class WebSocketLine:
    """It is there before its socket; `carry` runs as long as that does. One line has one socket."""

    def __init__(self, clock: Clock, session_t0: float) -> None:
        self.microphone = PcmMicrophone(clock, session_t0)
        self._outlet = PcmOutlet(self._put, self._behind)
        self.speaker = Speaker(clock, session_t0, self._outlet)
        self.on_control: Callable[[dict[str, Any]], None] = _nobody
        self._clock = clock
        self._last_heard = clock.now()
        self._outbox: Stream[str | bytes] = Stream(OUTBOX)
        self._carried: asyncio.Task[Any] | None = None
        self._open = False
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._dropped = 0
        self._garbage = 0

    # The port ---------------------------------------------------------------------------------------------------

    def control(self, message: dict[str, Any]) -> bool:
        return self._put(_text(message))

    def face(self, message: dict[str, Any]) -> bool:
        if self._behind():
            self._dropped += 1
            return False
        return self._put(_text(message))

    @property
    def last_heard(self) -> float:
        return self._last_heard

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_m_line_index: int | None) -> None:
        raise MediaError("this session is on a websocket: it has no candidates")

    async def closed(self) -> str:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        """What was told goes out before the goodbye, if the socket takes it in time."""
        self._end("closed")
        self.speaker.close()
        self.microphone.close()
        self._outbox.close()
        if self._carried is not None and self._carried is not asyncio.current_task():
            await asyncio.wait({self._carried}, timeout=CLOSE_DEADLINE_S - 0.5)
            self._carried.cancel()

    def stats(self) -> dict[str, float]:
        return {
            "packets_in": self.microphone.packets_in,
            "packets_lost": self.microphone.packets_lost,
            "packets_out": self.speaker.packets_out,
            "packets_due": self.speaker.packets_due,
            "frames_dropped": self.microphone.frames_dropped,
            "messages_dropped": self._dropped,
            "messages_garbage": self._garbage,
        }

    # The socket -------------------------------------------------------------------------------------------------

    def give_up(self) -> None:
        """Nobody came."""
        self._end("failed")

    @property
    def wanted(self) -> bool:
        """It still waits for its socket."""
        return self._carried is None and not self._ended.done()

    async def carry(self, socket: Socket) -> None:
        """Both ways, until one end closes. Cancelling it is the socket's loss, not the session's end."""
        self._carried = asyncio.current_task()
        self._open, self._last_heard = True, self._clock.now()
        writing = asyncio.create_task(self._write(socket), name="write to a websocket")
        try:
            await self._read(socket)
        except WireError as error:
            self._garbage += 1
            self._end("failed")
            await socket.close(BAD_MESSAGE, _reason(str(error)))
        except ConnectionClosed as closed:
            log.info("a visitor's websocket was lost (%s)", closed)
        else:
            if socket.close_code in LEFT:
                self._end("closed")
        finally:
            self._open = False
            writing.cancel()
            await asyncio.wait({writing})
            self._outbox.clear()
            self._outlet.on_ready()

    async def _read(self, socket: Socket) -> None:
        async for message in socket:
            self._last_heard = self._clock.now()
            if isinstance(message, bytes):
                self.microphone.take(message)
            else:
                self._hear(_parsed(message))

    def _hear(self, message: dict[str, Any]) -> None:
        try:
            self.on_control(message)
        except Exception:
            log.exception("a control message could not be handled")

    async def _write(self, socket: Socket) -> None:
        """The socket's own `send` waits while the other end takes nothing."""
        try:
            while True:
                await socket.send(await self._outbox.get())
                self._outlet.on_ready()
        except StreamEnded:
            await socket.close(GOODBYE, "Goodbye.")
        except ConnectionClosed:
            log.debug("written to a websocket that is gone")

    def _put(self, message: str | bytes) -> bool:
        if self._open and self._outbox.offer(message):
            return True
        self._dropped += 1
        return False

    def _behind(self) -> bool:
        return len(self._outbox) > BEHIND

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


def _nobody(message: dict[str, Any]) -> None:
    """Until the session listens, control messages go nowhere."""


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


def _parsed(text: str) -> dict[str, Any]:
    """Raises WireError."""
    try:
        message = json.loads(text) if len(text) <= TEXT_BYTES else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise WireError("a text message is one JSON object")
    return message


def _reason(text: str) -> str:
    """RFC 6455 allows 123 bytes."""
    return text.encode()[:120].decode(errors="ignore")
