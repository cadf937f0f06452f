"""A synthetic visitor: calls, talks, rests, calls again when the line is lost or the session is over."""

import asyncio
import logging
import time
from collections.abc import Iterator

from pipeline.contracts.numbers import SESSION_LIMIT_S
from pipeline.soak.call import Call
from pipeline.soak.errors import Lost, NotNow, Refused, SessionOver, Usage
from pipeline.soak.lines import Repertoire
from pipeline.soak.office import Admission, Office, Signaling, signaling
from pipeline.soak.plan import JOIN_APART_S, Exchange, rest_s
from pipeline.soak.talk import Conversation, Failed, greeting
from pipeline.soak.tally import Tally

SESSION_S = SESSION_LIMIT_S - 300.0
"""A caller hangs up and calls anew before the session's limit does it."""
PATIENCE_S = 60.0
"""A caller kept out for this long has met a failure: the run was asked to hold so many callers."""
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)

log = logging.getLogger(__name__)


class Caller:
    """`run()` goes on until it is cancelled; it raises nothing but Usage, when no session ever began."""

    def __init__(
        self, number: int, office: Office, repertoire: Repertoire, steps: Iterator[Exchange], duty: float, tally: Tally
    ) -> None:
        self.number = number
        self._office = office
        self._repertoire = repertoire
        self._steps = steps
        self._duty = duty
        self._tally = tally
        self._troubles = 0
        """Refusals in a row: what the back-off grows with."""
        self._kept_out_since_s: float | None = None

    async def run(self) -> None:
        await asyncio.sleep(self.number * JOIN_APART_S)
        while True:
            try:
                await self._session(await self._office.admit())
            except NotNow as patience:
                await self._wait(patience)
            except Usage as usage:
                if self._tally.sessions == 0:
                    raise
                await self._fail(str(usage))
            except Refused as refused:
                await self._fail(str(refused))
            except SessionOver as over:
                await self._fail(f"session ended by the server: {over}")
            except Exception as error:
                log.exception("caller %s stumbled", self.number)
                await self._fail(f"the caller itself stumbled: {type(error).__name__}")

    async def _wait(self, patience: NotNow) -> None:
        self._tally.waits += 1
        now_s = time.monotonic()
        if self._kept_out_since_s is None:
            self._kept_out_since_s = now_s
        if now_s - self._kept_out_since_s >= PATIENCE_S:
            self._tally.failed(self.number, f"kept out for {PATIENCE_S:.0f} s: {patience}")
            self._kept_out_since_s = now_s
        await asyncio.sleep(patience.wait_s)

    async def _fail(self, text: str) -> None:
        self._tally.failed(self.number, text)
        pause_s = BACK_OFF_S[min(self._troubles, len(BACK_OFF_S) - 1)]
        self._troubles += 1
        await asyncio.sleep(pause_s)

    async def _session(self, admission: Admission) -> None:
        """One session from its creation to its end, over as many connections as it takes."""
        ends_s = time.monotonic() + SESSION_S
        self._tally.sessions += 1
        try:
            async with signaling(admission) as line:
                first = True
                while time.monotonic() < ends_s and not line.closed.is_set():
                    await self._connection(admission, line, ends_s, first)
                    first = False
        finally:
            await self._office.dismiss(admission.id)

    async def _connection(self, admission: Admission, line: Signaling, ends_s: float, first: bool) -> None:
        """One leg: until the session has lasted long enough, or the connection is gone (then the next leg)."""
        call = Call(admission)
        try:
            await call.open(line)
            self._tally.live.add(self.number)
            self._troubles, self._kept_out_since_s = 0, None
            if first:
                await self._be_greeted(call)
            await self._converse(call, ends_s)
        except NotNow as patience:
            await self._wait(patience)
        except Lost as lost:
            self._note(lost)
        finally:
            self._tally.live.discard(self.number)
            await call.close()

    async def _be_greeted(self, call: Call) -> None:
        try:
            await greeting(call)
        except Failed as failure:
            self._tally.failed(self.number, f"greeting: {failure}")

    async def _converse(self, call: Call, ends_s: float) -> None:
        conversation = Conversation(call, self._repertoire, self.number)
        while time.monotonic() < ends_s:
            step = next(self._steps)
            began_s = time.monotonic()
            for turn in await conversation.exchange(step):
                self._tally.turn(turn)
            await call.rest(rest_s(time.monotonic() - began_s, self._duty, step.rest_factor))

    def _note(self, lost: Lost) -> None:
        if lost.planned:
            self._tally.moves += 1
        else:
            self._tally.losses += 1
            self._tally.failed(self.number, f"connection lost: {lost}")
