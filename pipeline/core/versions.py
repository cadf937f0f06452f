"""Which version of the assistant answers, and how a session comes to a newly published one without a pause."""

import logging
from collections.abc import Callable

from pipeline.contracts.spec import AssistantSpec
from pipeline.core.clock import SessionClock
from pipeline.core.listening import Listening
from pipeline.core.ports import Engines
from pipeline.core.stream import Stream, WhenFull
from pipeline.core.surroundings import Meter

LOOK_S = 0.1

log = logging.getLogger(__name__)


class Versions:
    """`run` until cancelled: learns what was published, one version after another, the newest wins.

    A version answers from the turn after its index is built; its recogniser takes over between two utterances. One
    that cannot be learnt is left alone: the call goes on with what it has.
    """

    def __init__(
        self,
        spec: AssistantSpec,
        engines: Engines,
        clock: SessionClock,
        meter: Meter,
        between_turns: Callable[[], bool],
    ) -> None:
        self.spec = spec
        self.digest = spec.digest()
        self._engines = engines
        self.listening: Listening | None = None
        """Whose recogniser changes with the version; None in writing."""
        self._clock = clock
        self._meter = meter
        self._between_turns = between_turns
        self._published: Stream[AssistantSpec] = Stream(1, WhenFull.DROP_OLDEST)
        self._learnt: tuple[AssistantSpec, str] | None = None

    def publish(self, spec: AssistantSpec) -> None:
        """News for all sessions of the worker; that of other assistants is ignored."""
        if spec.assistant_id == self.spec.assistant_id:
            self._published.offer(spec)

    def adopt(self) -> None:
        """A turn begins: from here on the newest version that has been learnt answers."""
        if self._learnt is not None:
            (self.spec, self.digest), self._learnt = self._learnt, None

    async def run(self) -> None:
        while True:
            spec = await self._published.get()
            digest = spec.digest()
            if digest == (self._learnt[1] if self._learnt else self.digest):
                continue
            try:
                await self._learn(spec, digest)
            except Exception:  # an engine's trouble with new content must not end a call that goes well
                self._meter.failed("version")
                log.exception("a new version could not be learnt; the call goes on with the one it has")

    async def _learn(self, spec: AssistantSpec, digest: str) -> None:
        await self._engines.know(spec)
        self._learnt = spec, digest
        if self.listening is None:
            return
        hearing = await self._engines.asr.open(spec)
        try:
            while not self._between_turns():
                await self._clock.clock.sleep(LOOK_S)
        except BaseException:
            await hearing.close()
            raise
        old, self.listening.hearing = self.listening.hearing, hearing
        await old.close()
