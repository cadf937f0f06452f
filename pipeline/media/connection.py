"""An `aiortc.RTCPeerConnection` that leaves nothing behind, however it ends."""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from pipeline.contracts.numbers import CLOSE_DEADLINE_S

log = logging.getLogger(__name__)

CONNECT = "_RTCPeerConnection__connect"
TRANSPORTS = "_RTCPeerConnection__iceTransports"
"""Private to aiortc 1.16 (pinned); tests/pipeline/media/test_connection.py notices when they disappear."""
GATHER_S = 1
"""How long STUN and TURN servers may keep an answer waiting. aioice's own limit, 5 s, is longer than an offer waits."""


class Connection:
    """Owns the peer connection and the tasks in which aiortc connects it."""

    def __init__(self, ice_servers: Sequence[dict[str, Any]], on_end: Callable[[str], None]) -> None:
        """`ice_servers`: as the W3C's RTCIceServer; none: no STUN either. `on_end`: failed or closed, once or more."""
        servers = [RTCIceServer(**server) for server in ice_servers]
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._on_end = on_end
        self._connecting: set[asyncio.Task[Any]] = set()
        self._closing: asyncio.Task[None] | None = None
        self.pc.on("connectionstatechange", self._changed)
        if hasattr(self.pc, CONNECT):
            setattr(self.pc, CONNECT, functools.partial(self._connect, getattr(self.pc, CONNECT)))
        else:
            log.warning("aiortc has no %s any more: its connecting tasks are not watched", CONNECT)

    def ice(self) -> list[Any]:
        """The `aioice.Connection`s below, one when all media is bundled."""
        return [transport._connection for transport in getattr(self.pc, TRANSPORTS, ())]

    def hurry(self) -> None:
        """Bound the gathering of candidates. Call between the remote and the local description."""
        for ice in self.ice():
            ice.get_component_candidates = functools.partial(ice.get_component_candidates, timeout=GATHER_S)

    async def close(self) -> None:
        """Ends within CLOSE_DEADLINE_S. May be called twice, from any task; cancelling the caller does not stop it."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="close a call")
        await asyncio.shield(self._closing)

    async def _connect(self, connect: Callable[[], Any]) -> None:
        """aiortc's own connecting, in a task that it starts and forgets."""
        task = asyncio.current_task()
        assert task is not None
        self._connecting.add(task)
        try:
            await connect()
        except Exception:
            log.info("a call could not be connected", exc_info=True)
            self._on_end("failed")
        finally:
            self._connecting.discard(task)

    def _changed(self) -> None:
        if self.pc.connectionState in {"failed", "closed"}:
            self._on_end(self.pc.connectionState)

    async def _close(self) -> None:
        await _cancelled(self._connecting)
        sockets = [protocol for ice in self.ice() for protocol in getattr(ice, "_protocols", ())]
        task = asyncio.create_task(self.pc.close(), name="aiortc's close")
        done, _ = await asyncio.wait({task}, timeout=CLOSE_DEADLINE_S - 0.5)
        if not done:
            log.warning("aiortc did not close a call in time: its sockets are taken away")
            await _cancelled({task})
        elif error := task.exception():
            log.info("aiortc could not close a call: %r", error)
        for protocol in sockets:
            protocol.transport.abort()
        self._on_end("closed")


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel them and give them a moment to go; one that will not is left alone."""
    pending = set(tasks)
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending, timeout=0.25)
