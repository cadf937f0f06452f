"""The audio door: where the web process brings the websockets of visitors whose network lets no UDP through.

It opens to one-time tickets only, which the office learns with the answer to an offer. On one machine it is a unix
domain socket in the data folder, which has no port and is closed to other users; for a web process on another machine
it listens where the settings say.
"""

import asyncio
import errno
import logging
import os
import secrets
import shutil
import socket
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

from websockets.asyncio.server import Server, ServerConnection, serve, unix_serve
from websockets.http11 import Request, Response

from pipeline.contracts.packets import LONGEST_MS
from pipeline.media.websocket_line import TEXT_BYTES, WebSocketLine
from pipeline.worker.settings import WorkerSettings

log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)
"""Of strangers' broken handshakes the library would log tracebacks."""

TICKET_S = 5.0
"""The office comes with it at once, or never."""
PATH_BYTES = 100
"""Of a unix socket's path; the kernel takes 107."""
SEND_BUFFER_BYTES = 16 * 1024
"""In the kernel, per socket, and as much again in the process: what is further behind than about half a second of voice
should wait where it can still be thrown away."""
PORTS = 64
BEARER = "Bearer "
assert TEXT_BYTES > LONGEST_MS * 48


class AudioDoor:
    """`open()` once, then `expect()` lines until `close()`."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._server: Server | None = None
        self._expected: dict[str, tuple[WebSocketLine, asyncio.TimerHandle]] = {}
        self._admitted: dict[UUID, WebSocketLine] = {}
        self._own_folder: Path | None = None
        self.address = ""
        """Where to come to: `unix:/path/of/socket` or `ws://host:port/`."""

    async def open(self) -> None:
        """Raises OSError when it cannot listen there."""
        options: dict[str, Any] = {
            "process_request": self._admit,
            "compression": None,
            "server_header": None,
            "logger": _quiet,
            "open_timeout": TICKET_S,
            "close_timeout": 2,
            "max_size": TEXT_BYTES,
            "write_limit": SEND_BUFFER_BYTES,
        }
        if self._settings.audio_bind:
            self._server = await self._listen(options)
            port = next(iter(self._server.sockets)).getsockname()[1]
            self.address = f"ws://{_reachable(self._settings.audio_address or self._settings.audio_bind, port)}/"
        else:
            path = self._socket_path()
            self._server = await unix_serve(self._carry, path, **options)
            self.address = f"unix:{path}"
        log.info("the audio door is open at %s", self.address)

    async def _listen(self, options: dict[str, Any]) -> Server:
        """On the first free port from the set one on: a machine may run several workers. Raises OSError."""
        host, first = self._settings.audio_bind, self._settings.audio_port
        for port in range(first, first + PORTS if first else 1):
            try:
                return await serve(self._carry, host, port, **options)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, f"no port from {first} to {first + PORTS - 1} is free for the audio door")

    async def close(self) -> None:
        """Sockets that are still carried are closed (1001)."""
        for line, expiry in self._expected.values():
            expiry.cancel()
            line.give_up()
        self._expected.clear()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._tidy()

    def _tidy(self) -> None:
        if self.address.startswith("unix:"):
            Path(self.address.removeprefix("unix:")).unlink(missing_ok=True)
        if self._own_folder is not None:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def expect(self, line: WebSocketLine) -> str:
        """A ticket for this line, good once, for TICKET_S. Nobody came by then: the line gives up."""
        ticket = secrets.token_urlsafe(32)
        expiry = asyncio.get_running_loop().call_later(TICKET_S, self._expire, ticket)
        self._expected[ticket] = (line, expiry)
        return ticket

    def _expire(self, ticket: str) -> None:
        line, _ = self._expected.pop(ticket)
        if line.wanted:
            log.warning("nobody came through the audio door for a session that was offered on a websocket")
            line.give_up()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Before the handshake: anything but a ticket that is expected is refused."""
        shown = request.headers.get("Authorization", "")
        line, expiry = self._expected.pop(shown.removeprefix(BEARER), (None, None))
        if line is None or expiry is None:
            return connection.respond(HTTPStatus.FORBIDDEN, "This ticket is not known here, or no longer.\n")
        expiry.cancel()
        if not line.wanted:
            return connection.respond(HTTPStatus.GONE, "This call is over.\n")
        self._admitted[connection.id] = line
        return None

    async def _carry(self, connection: ServerConnection) -> None:
        line = self._admitted.pop(connection.id)
        raw = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        await line.carry(connection)

    def _socket_path(self) -> Path:
        """In the settings' folder, or, when there is none or its name is too long, in a private one of our own."""
        name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        folder = self._settings.audio_dir
        if folder is None or len(os.fsencode(folder.resolve() / name)) > PATH_BYTES:
            self._own_folder = Path(tempfile.mkdtemp(prefix="goassist-audio-"))
            return self._own_folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        return folder.resolve() / name


def _sweep(folder: Path) -> None:
    """Takes away what killed workers left behind: nobody listens at those."""
    for path in folder.glob("*.sock"):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    path.unlink(missing_ok=True)


def _reachable(address: str, port: int) -> str:
    """`host:port` of an address that may name a port itself, or be an IPv6 number."""
    if address.count(":") > 1 and not address.startswith("["):
        return f"[{address}]:{port}"
    named = address.rpartition("]")[2]
    return address if ":" in named else f"{address}:{port}"
