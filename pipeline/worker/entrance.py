"""Where offers become sessions: one at a time for each session, as long as somebody waits for the answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from pipeline.contracts.wire import Offer

EARLIER_LEG = "moved"
"""The reason of a hang-up that means a session's earlier connection, never the one that is just being made."""


class Entrance:
    """Remembers who is just coming in. Two offers of one session at once would leave one of them without a master."""

    def __init__(self) -> None:
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._given_up: set[str] = set()

    @asynccontextmanager
    async def admit(self, offer: Offer) -> AsyncIterator[None]:
        """Raises TimeoutError at the offer's deadline: nobody waits any more, whatever was being made is undone."""
        async with asyncio.timeout(max(0.0, offer.deadline - time.time())):
            door = self._doors.setdefault(offer.session_id, asyncio.Lock())
            async with door:
                try:
                    yield
                finally:
                    self._given_up.discard(offer.session_id)

    def hang_up(self, session_id: str, reason: str) -> None:
        """For a session that is not there yet. Others are unknown here, and ignored."""
        if session_id in self._doors and reason != EARLIER_LEG:
            self._given_up.add(session_id)

    def unwanted(self, session_id: str) -> bool:
        return session_id in self._given_up
