"""The one place that wires: engines from settings, a line and a hearing for an offer, a session from all of them."""

import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.errors import MediaError
from pipeline.contracts.spec import AssistantSpec
from pipeline.contracts.wire import Offer
from pipeline.core.clock import MonotonicClock, SessionClock
from pipeline.core.ports import Engine, Engines, Line
from pipeline.core.session import Session
from pipeline.core.surroundings import Surroundings
from pipeline.engines import registry
from pipeline.media import peer
from pipeline.media.websocket_line import WebSocketLine
from pipeline.worker.audio_door import AudioDoor
from pipeline.worker.settings import DEFAULT_ENGINES, WorkerSettings

log = logging.getLogger(__name__)


def build_engines(settings: WorkerSettings) -> Engines:
    """Raises EngineError when a kind is unknown or its library is missing."""
    made: dict[str, Any] = {port: registry.create(port, *settings.choice(port)) for port in DEFAULT_ENGINES}
    return Engines(
        vad=made["vad"],
        asr=made["asr"],
        turns=made["turns"],
        echo=made["echo"],
        retriever=made["retriever"],
        language=made["llm"],
        voice=made["tts"],
        face=made["face"],
    )


def _started(engines: Engines) -> tuple[Engine, ...]:
    return (engines.vad, engines.asr, engines.turns, engines.language, engines.voice, engines.face)


async def start_engines(engines: Engines) -> None:
    """Load all of them; what has started is closed again when one fails. Raises EngineError."""
    try:
        for engine in _started(engines):
            began = time.monotonic()
            await engine.start()
            log.info("engine %s is ready (%.1f s)", engine.name, time.monotonic() - began)
    except BaseException:
        await close_engines(engines)
        raise


async def close_engines(engines: Engines) -> None:
    await engines.indexing.close()
    for engine in _started(engines):
        try:
            await engine.close()
        except Exception:
            log.exception("engine %s did not close", engine.name)


@dataclass(frozen=True, slots=True)
class Terms:
    """How the visitor comes to the line: our SDP answer, or the audio door and a ticket for it; neither in writing."""

    sdp: str = ""
    audio: str = ""
    ticket: str = ""


async def build_session(
    offer: Offer, around: Surroundings, settings: WorkerSettings, door: AudioDoor
) -> tuple[Session, Terms]:
    """The session and its terms. Raises SpecError, MediaError, EngineError, and leaves nothing behind then."""
    spec = AssistantSpec.from_manifest(offer.spec)
    clock = SessionClock(MonotonicClock(), offer.created_at, time.time())
    if not offer.sdp and offer.transport in {"webrtc", "whip"}:
        await around.engines.know(spec)
        return Session(offer, spec, clock, around), Terms()
    line, sdp = await _line(offer, clock, settings)
    async with AsyncExitStack() as undone:
        undone.push_async_callback(line.close)
        await around.engines.know(spec)
        hearing = await around.engines.asr.open(spec)
        undone.push_async_callback(hearing.close)
        session = Session(offer, spec, clock, around, line, hearing)
        undone.pop_all()
    if isinstance(line, WebSocketLine):
        return session, Terms(audio=door.address, ticket=door.expect(line))
    return session, Terms(sdp)


async def _line(offer: Offer, clock: SessionClock, settings: WorkerSettings) -> tuple[Line, str]:
    """The line, and our SDP answer where there is one."""
    match offer.transport:
        case "webrtc" | "whip":
            return await peer.answer(
                offer.sdp,
                ice_servers=settings.ice_servers,
                clock=clock.clock,
                session_t0=clock.t0,
                may_be_deaf=offer.transport == "whip",
            )
        case "websocket":
            return WebSocketLine(clock.clock, clock.t0), ""
    raise MediaError(f"no transport is called {offer.transport!r} here")
