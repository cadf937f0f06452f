"""Daphne, in this process, with guards of our own: slow and large requests, slow websocket readers, reasons.

Twisted buffers without bound what a slow reader does not take. It also tells a registered push producer when its buffer
is full and when it is empty again; here that producer is a `Reader`, which consumers see in their scope and heed
(latest wins), and which drops a connection that stays full.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import structlog
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import defer
from twisted.internet import reactor as installed_reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IPushProducer
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)
from zope.interface import implementer

from goassist_site.security import servers_own
from sessions_app import switchboard
from sessions_app.edge.sockets import CloseCode

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1_000_000
"""Of any HTTP request; the API's own limit is lower."""
MAX_MESSAGE_BYTES = 64 * 1024
"""Of a websocket message; an SDP offer is the largest that is meant."""
STALL_LIMIT_S = 3.0
SEND_BUFFER_BYTES = 64 * 1024
"""In the kernel, per websocket: what a reader that stalls can have waiting for it besides Twisted's own 64 KiB."""
AUDIO_BUFFER_BYTES = 8 * 1024
"""The same two for a socket that carries sound: a `stop` waits behind all of it."""
REQUEST_LIMIT_S = 30.0
"""A request is here, whole, so long after its connection began or the answer before it was given. Twisted alone waits
60 s for each single byte, Daphne for ever."""
HTTP_LIMIT_S = 90
"""Longest answer: a chat message that first waits for a silent worker and then for a long reply."""
SOCKET_LIMIT_S = 2 * 3600
CLOSE_LIMIT_S = 12
"""Whatever does not end by then is left behind."""
TOO_LARGE = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n{}\r\n"

# zope's interfaces tell a type checker nothing.
reactor: Any = installed_reactor
TWISTED_ERRORS: Any = FilteringLogObserver(
    cast(Any, STDLibLogObserver("twisted")), [cast(Any, LogLevelFilterPredicate(LogLevel.error))]
)


@implementer(IPushProducer)
class Reader:
    """The other end of a websocket: `behind` while it takes less than we send."""

    def __init__(self, drop: Callable[[], None], call_later: Callable[..., Any]) -> None:
        self.behind = False
        self.ready = asyncio.Event()
        """Set while it is not behind."""
        self.ready.set()
        self._drop = drop
        self._call_later = call_later
        self._limit: Any = None

    def pauseProducing(self) -> None:
        if not self.behind:
            self.behind = True
            self.ready.clear()
            self._limit = self._call_later(STALL_LIMIT_S, self._drop)

    def resumeProducing(self) -> None:
        self.behind = False
        self.ready.set()
        self.stopProducing()

    def stopProducing(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = None


class GuardedWebSocket(WebSocketProtocol):
    def onConnect(self, request: Any) -> Any:
        self.reader = Reader(self._drop, reactor.callLater)
        kept_bytes = SEND_BUFFER_BYTES
        if request.path.endswith("/audio/"):
            kept_bytes = self.transport.bufferSize = AUDIO_BUFFER_BYTES
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kept_bytes)
        return super().onConnect(request)

    def onOpen(self) -> None:
        # The HTTP channel that this connection began as is still registered.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.reader, True)
        super().onOpen()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Daphne leaves the reason out."""
        if message["type"] == "websocket.close" and self.state != self.STATE_CONNECTING:
            self.sendClose(code=message.get("code") or 1000, reason=message.get("reason"))
        else:
            super().handle_reply(message)

    def _drop(self) -> None:
        """The close frame waits behind everything that was not read: whoever is stuck will hardly see it."""
        log.info("slow_reader_dropped", path=self.path)
        self.sendClose(code=int(CloseCode.TOO_SLOW), reason="Reader too slow.")
        self.transport.abortConnection()


class Patience:
    """How long this connection's next request may take to arrive; then the connection is cut."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._limit: Any = None
        self.begin()

    def begin(self) -> None:
        self.cancel()
        self._limit = reactor.callLater(REQUEST_LIMIT_S, self._cut)

    def cancel(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()

    def _cut(self) -> None:
        if self._channel.transport is not None:
            self._channel.transport.abortConnection()


class GuardedRequest(WebRequest):
    """Refuses a body that is too large before it is stored, whether its length was announced or not."""

    _received_bytes = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(0 if length is not None and length > MAX_BODY_BYTES else length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > MAX_BODY_BYTES:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """The request is whole."""
        self.channel.patience.cancel()
        return None if self._refused else super().process()

    def finish(self) -> None:
        channel = self.channel
        super().finish()
        channel.patience.begin()

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            lines = "".join(f"{name}: {value}\r\n" for name, value in _own_headers().items())
            self.transport.write(TOO_LARGE.format(lines).encode())
            self.channel.loseConnection()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Daphne's own answer: a head that it does not take, an application that failed or takes too long."""
        for name, value in _own_headers().items():
            self.responseHeaders.setRawHeaders(name, [value])
        super().basic_error(status, status_text, body)


def _own_headers() -> dict[str, str]:
    return servers_own(settings.SECURE_HSTS_SECONDS)


class GuardedHttp(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = GuardedRequest
        channel = protocol._channel
        channel.patience = Patience(channel)
        return protocol


class GuardedSockets(WebSocketFactory):
    protocol = GuardedWebSocket


class WebServer(Server):
    """`run()` blocks in Twisted's reactor, on its asyncio loop, until SIGINT, SIGTERM or `stop()`."""

    def __init__(self, application: Any, *, host: str, port: int, on_start: Callable[[], None] | None = None) -> None:
        bind = host.replace(":", r"\:")
        super().__init__(
            application=application,
            endpoints=[f"tcp:port={port}:interface={bind}"],
            http_timeout=HTTP_LIMIT_S,
            websocket_timeout=SOCKET_LIMIT_S,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            application_close_timeout=5,
            server_name="",
        )
        self.on_start = on_start
        self.failure = ""
        """Why it could not listen, in words."""
        self._stopping = False
        self._on_stop: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def on_stop(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs on the loop while the server goes down, which waits for it."""
        self._on_stop.append(work)

    def run(self) -> None:
        """Daphne's own `run` with our factories; raises nothing: see `failure`."""
        self.connections: dict[Any, Any] = {}
        self.http_factory = GuardedHttp(self)
        self.ws_factory = GuardedSockets(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            # A broken message is answered with a close frame that says why, not with a lost connection.
            failByDrop=False,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        globalLogBeginner.beginLoggingTo([TWISTED_ERRORS], redirectStandardIO=False, discardBuffer=True)
        # Not callWhenRunning: that is before the asyncio loop runs.
        reactor.callLater(0, self._open)
        reactor.addSystemEventTrigger("before", "shutdown", self._close)
        reactor.run(installSignalHandlers=False)

    def stop(self) -> None:
        """Asked once or more, from the loop: it ends once. Twisted's own handler of a second signal would raise."""
        if not self._stopping:
            self._stopping = True
            super().stop()

    def _open(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        switchboard.live_on(asyncio.get_running_loop())
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        for description in self.endpoints:
            listener = cast(Any, serverFromString)(reactor, description).listen(self.http_factory)
            listener.addCallbacks(self._opened, self.listen_error)

    def _opened(self, port: Any) -> None:
        self.listen_success(port)
        if self.on_start:
            self.on_start()

    def listen_error(self, failure: Any) -> None:
        self.failure = failure.getErrorMessage()
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, GuardedWebSocket):
            scope["extensions"] = {"goassist.reader": protocol.reader}
        return super().create_application(protocol, scope)

    def _close(self) -> Any:
        works = [defer.Deferred.fromFuture(asyncio.ensure_future(_logged(work()))) for work in self._on_stop]
        closed = defer.DeferredList([*works, self.kill_all_applications()])
        return closed.addTimeout(CLOSE_LIMIT_S, reactor, lambda result, limit: log.warning("closing_took_too_long"))

    def kill_all_applications(self) -> Any:
        """Daphne's own fails on a connection whose application has ended already."""
        running = [d["application_instance"] for d in self.connections.values() if "application_instance" in d]
        for application in running:
            application.cancel()
        waits = [defer.Deferred.fromFuture(application) for application in running]
        for wait in waits:
            wait.addErrback(lambda _: None)
        return defer.DeferredList(waits)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("stopping_failed")
