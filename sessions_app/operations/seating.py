"""A seat for a session: at once where one is free, in turn where others wait, or a refusal in words.

An offer waits on the channel that only workers with a free seat read (`switchboard.place`). Who got none joins the
queue, and only those at its head go on offering; so a seat that comes free goes to who has waited longest.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from asgiref.sync import SyncToAsync
from django.conf import settings

from pipeline.contracts import wire
from pipeline.contracts.errors import BusyError
from sessions_app import switchboard
from sessions_app.operations.queue import Place, Queue, epoch_s, queue_of

TELL_AFTER_S: Final = 1.0
"""An offer that nobody took by then will probably have to wait: the visitor is told."""
LOOK_EVERY_S: Final = 1.0
"""How often a waiting visitor's place is looked at."""
QUEUE_RETRY_S: Final = 8
"""When to ask again by HTTP: often enough to be remembered, seldom enough for the limit of 10 offers a minute."""
FULL_RETRY_S: Final = 30
"""When to ask again where there is not even room to wait."""

Attempt = Callable[[], Coroutine[Any, Any, wire.Answer]]
OnPlace = Callable[[int], Awaitable[None]]


class NoSeat(BusyError):
    """Nobody took the session; the text says what may be done. `place` in the queue: 0 where there is none."""

    place = 0
    retry_after_s = FULL_RETRY_S


class Queued(NoSeat):
    """No seat yet, but a place in the queue; who asks again within FORGOTTEN_S keeps it."""

    retry_after_s = QUEUE_RETRY_S

    def __init__(self, place: int) -> None:
        super().__init__(f"All lines are taken. You are number {place} in line; ask again to keep your place.")
        self.place = place


class Refused(NoSeat):
    """Neither a seat nor a place in the queue."""


NO_ROOM: Final = "All lines are taken, and so are all places in the queue. Please try again later."
OVERLOADED: Final = "This service has more to do than it can do well, and takes no new calls. Please try again later."
TOO_LONG: Final = "No line came free in time. Please try again later."


async def ensure_welcome() -> None:
    """Raises Refused when every worker of the pool is so strained that it refuses new sessions. Asks around, and takes
    the first one that does not for an answer; without any workers the offer will say so."""
    if await switchboard.all_reject(settings.GOASSIST.goassist_pool):
        raise Refused(OVERLOADED)


async def seated(ticket: str, since: float, attempt: Attempt, on_place: OnPlace | None) -> wire.Answer:
    """The answer of the worker that took the session.

    `attempt` offers it once, and raises BusyError when nobody took it. `since`: epoch seconds at which its turn began.
    `on_place` is told the visitor's place whenever that changes; without it nobody waits here: raises Queued.
    Raises Refused, and whatever else `attempt` raises.
    """
    queue = queue_of(settings.GOASSIST.goassist_pool)
    return await _Wait(queue, ticket, since, attempt, on_place).over()


async def forget(ticket: str) -> None:
    """The session is over: its place is free. Where the queue is away it forgets by itself."""
    with contextlib.suppress(switchboard.Unreachable):
        await queue_of(settings.GOASSIST.goassist_pool).leave(ticket)


class _Wait:
    """One request's way to its seat."""

    def __init__(self, queue: Queue, ticket: str, since: float, attempt: Attempt, on_place: OnPlace | None) -> None:
        self._queue, self._ticket, self._since = queue, ticket, since
        self._attempt, self._on_place = attempt, on_place
        self._offering: asyncio.Future[wire.Answer] | None = None
        self._told = 0
        self._offered = False
        self._stood = False
        """There is a place in the queue to be given up in the end."""

    async def over(self) -> wire.Answer:
        try:
            return await self._straight() or await self._in_line()
        except Queued:
            self._stood = False  # the place is kept
            raise
        except asyncio.CancelledError:
            self._stood = False  # a page that lost its socket comes back
            raise
        finally:
            if self._stood:
                await forget(self._ticket)

    async def _straight(self) -> wire.Answer | None:
        """Where nobody waits nobody need queue. None: it takes too long, or others wait already."""
        if await self._others_wait():
            await ensure_welcome()
            return None
        self._offer()
        return await self._answer(TELL_AFTER_S)

    async def _others_wait(self) -> bool:
        """A queue that is away, or was a moment ago, closes no doors: the offer will say whether one can go on."""
        try:
            return await self._queue.length(epoch_s()) > 0
        except switchboard.Unreachable:
            return False

    async def _in_line(self) -> wire.Answer:
        while True:
            self._stood = True
            place = await self._queue.stand(
                self._ticket,
                self._since,
                epoch_s(),
                settings.GOASSIST.goassist_queue_length,
                at_hand=self._on_place is not None,
            )
            await self._tell(place)
            if self._offering is None and place.ahead == 0 and (place.number or not self._offered):
                self._offer()
            if (answer := await self._answer(LOOK_EVERY_S)) is not None:
                return answer
            if self._offering is None:
                self._may_stay(place)

    def _offer(self) -> None:
        """A task of its own: who goes away in the middle leaves no worker with half a session.

        It may outlive its request, so it may not use the request's thread: asgiref would make another that nobody ends.
        """
        self._offered = True
        context = contextvars.copy_context()
        context.run(SyncToAsync.thread_sensitive_context.set, None)  # type: ignore[arg-type]
        self._offering = asyncio.get_running_loop().create_task(self._attempt(), context=context)
        _offers.add(self._offering)
        self._offering.add_done_callback(_ended)

    async def _answer(self, limit_s: float) -> wire.Answer | None:
        """Of the offer under way, if it comes in time. None: not yet, or nobody took it."""
        if self._offering is None:
            await asyncio.sleep(limit_s if self._on_place else 0)
            return None
        if not (await asyncio.wait({self._offering}, timeout=limit_s))[0]:
            return None
        offering, self._offering = self._offering, None
        try:
            return offering.result()
        except BusyError:
            await ensure_welcome()
            return None

    async def _tell(self, place: Place) -> None:
        if self._on_place is not None and place.number not in (0, self._told):
            await self._on_place(place.number)
        self._told = place.number

    def _may_stay(self, place: Place) -> None:
        """Raises Refused where there is no place or it was held for too long; Queued where nobody waits here."""
        if place.number == 0:
            raise Refused(NO_ROOM)
        if place.waited_s > settings.GOASSIST.goassist_queue_wait_s:
            raise Refused(TOO_LONG)
        if self._on_place is None:
            raise Queued(place.number)


_offers: "set[asyncio.Future[wire.Answer]]" = set()


def _ended(offering: "asyncio.Future[wire.Answer]") -> None:
    """Nobody may be left to hear how an offer ended; that is no error."""
    _offers.discard(offering)
    if not offering.cancelled():
        offering.exception()
