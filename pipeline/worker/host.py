"""The host: takes offers while it has a free seat, holds sessions, and goes down without dropping what it holds."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from pipeline.contracts.errors import BusyError, PipelineError, WireError
from pipeline.contracts.numbers import CLOSE_DEADLINE_S, OFFER_DEADLINE_S
from pipeline.contracts.wire import Answer, Offer, Refusal, Report, offers_channel
from pipeline.core.clock import MonotonicClock
from pipeline.core.ports import Engines
from pipeline.core.session import Session
from pipeline.core.surroundings import NoRecorder, Surroundings
from pipeline.worker import gpus, metrics
from pipeline.worker.assembly import Terms, build_engines, build_session, close_engines, start_engines
from pipeline.worker.audio_door import AudioDoor
from pipeline.worker.collector import Collector
from pipeline.worker.drainer import Drainer, Store
from pipeline.worker.ending import end
from pipeline.worker.entrance import Entrance
from pipeline.worker.health import HealthServer
from pipeline.worker.layer import Layer, receive
from pipeline.worker.leaving import move_out
from pipeline.worker.load import WorkerLoad
from pipeline.worker.mailbox import Mailbox
from pipeline.worker.observed import ObservedJournal, PrometheusMeter, line_stats, watch_media
from pipeline.worker.presence import keep_touch, stay_joined
from pipeline.worker.publisher import LayerPublisher
from pipeline.worker.rehearsal import Cast, learn, rehearse
from pipeline.worker.seats import Seats
from pipeline.worker.settings import WorkerSettings
from pipeline.worker.shipping import Keep, Shipping
from pipeline.worker.spool import Spool
from pipeline.worker.watchdog import Watchdog

log = logging.getLogger(__name__)


class Host:
    """One worker. `run()` until `drain()` has let the sessions end or the deadline did. Raises EngineError or OSError
    at start, and at its end what made it drain, if that was a failure of its own."""

    def __init__(
        self,
        settings: WorkerSettings,
        layer: Layer,
        store: Store,
        touch: Callable[[list[str]], None] | None = None,
        cast: Cast = tuple,
        keep: Keep | None = None,
    ) -> None:
        """`store`, `touch` (these sessions are alive), `cast` (whom to rehearse) and `keep` (recordings; without it, or
        a folder for them, nothing is recorded) block and are called in threads."""
        self.settings = settings
        self.sessions: dict[str, Session] = {}
        self.ready = asyncio.Event()
        self._layer = layer
        self._store = store
        self._touch = touch
        self._cast = cast
        self._keep = keep
        self._seats = Seats(settings.seats)
        self._gpus = gpus.found()
        self.load = WorkerLoad(
            settings.seats, lambda: len(self.sessions), lambda: line_stats(self.sessions), MonotonicClock(), self._gpus
        )
        self.watchdog = Watchdog(self.load.loop_lag)
        self._collector = Collector()
        self._draining = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._publisher = LayerPublisher(layer)
        self._entrance = Entrance()
        self._audio_door = AudioDoor(settings)
        self._left = asyncio.Event()
        """Set whenever a session has gone."""
        self._failure: BaseException | None = None
        self._mailbox = Mailbox(layer, self.sessions, self._spawn, self._hang_up, self.report)

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    def drain(self) -> None:
        """Take no more offers; `run` returns when the sessions are gone. Safe to call from a signal handler."""
        self._draining.set()

    async def run(self) -> None:
        engines, shipping = build_engines(self.settings), self._shipping()
        spool = Spool(self.settings.spool_dir, self.settings.name)
        try:
            await start_engines(engines)
            await self._open_audio_door(engines)
        except BaseException:
            spool.file.close(remove=spool.file.waiting == 0)
            raise
        drainer = Drainer(spool, self.settings.spool_dir, self._store)
        journal, meter = ObservedJournal(spool, self.load), PrometheusMeter(self.load)
        recorder = shipping.recorder if shipping is not None else NoRecorder()
        around = Surroundings(self.settings.name, engines, journal, self._publisher, meter, self.load, recorder)
        self._mailbox.on_version = lambda spec: self._spawn("version", learn(spec, engines))
        jobs = self._background(drainer) | ({"recordings": shipping.run()} if shipping is not None else {})
        background = [asyncio.create_task(c, name=f"background {n}") for n, c in jobs.items()]
        offers = asyncio.create_task(self._take_offers(around), name="background offers")
        for task in (offers, *background):
            task.add_done_callback(self._background_done)
        metrics.SEATS.set(self.settings.seats)
        try:
            await self._draining.wait()
            self.ready.clear()
            await end({offers})
            await self._let_sessions_go()
        finally:
            self.ready.clear()
            await end({offers, *background, *self._tasks})
            await drainer.finish()
            if shipping is not None:
                await shipping.finish()
            await self._audio_door.close()
            await close_engines(engines)
            if self._gpus is not None:
                self._gpus.close()
        if self._failure is not None:
            raise self._failure

    async def _open_audio_door(self, engines: Engines) -> None:
        try:
            await self._audio_door.open()
        except BaseException:
            await close_engines(engines)
            raise

    def _shipping(self) -> Shipping | None:
        directory = self.settings.recordings_dir
        return None if directory is None or self._keep is None else Shipping(directory, self._keep)

    def _background(self, drainer: Drainer) -> dict[str, Coroutine[Any, Any, None]]:
        jobs = {
            "journal": drainer.run(),
            "publisher": self._publisher.run(),
            "watchdog": self.watchdog.run(),
            "load": self.load.run(),
            "collector": self._collector.run(),
            "media metrics": watch_media(self.sessions),
            "mailbox": self._receive_mail(),
        }
        if self._touch is not None:
            jobs["touch"] = keep_touch(self._touch, lambda: list(self.sessions))
        if self.settings.http_port:
            jobs["health"] = HealthServer(self).run()
        return jobs

    # Offers ---------------------------------------------------------------------------------------------------------

    async def _take_offers(self, around: Surroundings) -> None:
        """Placement is back-pressure: without a free seat, or while the door is shut, nobody listens here, and another
        worker takes the offer."""
        channel = offers_channel(self.settings.pool)
        await rehearse(self._cast, around.engines)
        await self._mailbox.opened.wait()
        self._collector.freeze()
        self.ready.set()
        while True:
            await self._seats.take()
            try:
                offer = Offer.from_wire(await self.load.door.through(lambda: receive(self._layer, channel)))
            except WireError as error:
                log.warning("an offer was not understood: %s", error)
                self._seats.free()
            except BaseException:
                self._seats.free()
                raise
            else:
                self._spawn(f"session {offer.session_id}", self._hold(offer, around))

    async def _hold(self, offer: Offer, around: Surroundings) -> None:
        """One session from its offer to its end; the seat is free again however it ends."""
        try:
            opened = await self._open(offer, around)
            if opened is not None:
                self._spawn(f"answer {offer.session_id}", self._answer(offer, *opened))
                await self._live(opened[0])
        finally:
            self._seats.free()

    async def _open(self, offer: Offer, around: Surroundings) -> tuple[Session, Terms] | None:
        """The session and its terms; None when nobody waits for it any more, or when it was refused in words."""
        try:
            async with self._entrance.admit(offer):
                if offer.session_id in self.sessions:
                    await self._replace(offer)
                session, terms = await build_session(offer, around, self.settings, self._audio_door)
                if self.draining or self._entrance.unwanted(offer.session_id):
                    await session.close()
                    raise BusyError("this worker is going down, or the call was given up meanwhile")
                self.sessions[session.id] = session
        except TimeoutError:
            metrics.OFFERS.labels("expired").inc()
            return None
        except PipelineError as error:
            metrics.OFFERS.labels(error.code).inc()
            log.info("offer refused: %s: %s", error.code, error)
            await self._layer.send(offer.reply_to, Refusal(offer.session_id, error.code, str(error)).to_wire())
            return None
        metrics.OFFERS.labels("taken").inc()
        return session, terms

    async def _answer(self, offer: Offer, session: Session, terms: Terms) -> None:
        """Beside the session, which runs already: it could be spoken to as soon as the office has read this."""
        answer = Answer(
            session_id=offer.session_id,
            leg=offer.leg,
            sdp=terms.sdp,
            mailbox=self._mailbox.address,
            worker=self.settings.name,
            audio=terms.audio,
            ticket=terms.ticket,
        )
        try:
            async with asyncio.timeout(OFFER_DEADLINE_S):
                await self._layer.send(offer.reply_to, answer.to_wire())
        except BaseException:
            session.hang_up("failed")  # nobody will ever come to it
            raise

    async def _replace(self, offer: Offer) -> None:
        """The same session offers again (a page that lost its line): the old leg ends first."""
        if self.sessions[offer.session_id].leg > offer.leg:
            raise BusyError("a later connection has taken over this session")
        self.sessions[offer.session_id].hang_up("moved")
        while offer.session_id in self.sessions:
            self._left.clear()
            await self._left.wait()

    def _hang_up(self, session_id: str, reason: str) -> None:
        if (session := self.sessions.get(session_id)) is not None:
            session.hang_up(reason)
        else:
            self._entrance.hang_up(session_id, reason)

    async def _live(self, session: Session) -> None:
        metrics.SESSIONS.inc()
        reason = "failed"
        try:
            reason = await session.run()
        finally:
            metrics.SESSIONS.dec()
            metrics.SESSIONS_ENDED.labels(reason).inc()
            self.sessions.pop(session.id, None)
            self._left.set()
            log.info("session %s ended: %s", session.id, reason)

    def report(self) -> Report:
        """How this worker stands, for whoever asks."""
        return self.load.report(self.settings, ready=self.ready.is_set())

    # Going down -----------------------------------------------------------------------------------------------------

    async def _let_sessions_go(self) -> None:
        """Whoever is left at the deadline is hung up."""
        await move_out(self.sessions, self.settings.drain_deadline_s)
        for session in list(self.sessions.values()):
            session.hang_up("drained")
        if holding := [t for t in self._tasks if t.get_name().startswith("session ")]:
            await asyncio.wait(holding, timeout=CLOSE_DEADLINE_S + 1.0)

    # Background -----------------------------------------------------------------------------------------------------

    async def _receive_mail(self) -> None:
        # No prefix of our own: the Redis layer receives on one prefix a process at a time.
        address = await self._layer.new_channel()
        joining = asyncio.create_task(stay_joined(self._layer, address))
        try:
            await self._mailbox.run(address)
        finally:
            await end({joining})

    def _background_done(self, task: "asyncio.Task[None]") -> None:
        """None of these ends by itself. One that does takes the worker down in order: its sessions move."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("%s failed; this worker drains", task.get_name(), exc_info=error)
            self._failure = self._failure or error
            self.drain()

    def _spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            metrics.ERRORS.labels(task.get_name().split()[0]).inc()
            log.error("%s failed", task.get_name(), exc_info=error)
