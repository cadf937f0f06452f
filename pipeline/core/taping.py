"""Both sides of a call, onto a tape of the worker's recorder, while the visitor agrees to it.

The clock is the session's: a piece of the visitor's sound lies where it was captured, one of the assistant's where it
went out, silence where there was none. A slice is put down a little late, so that sound which the network held up
finds its place.
"""

import time
from collections.abc import Callable

from pipeline.contracts.audio import Sound
from pipeline.contracts.events import EventKind
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS
from pipeline.contracts.recording import Recording
from pipeline.core.clock import SessionClock
from pipeline.core.ports import Microphone, Speaker
from pipeline.core.surroundings import Recorder, Tape
from pipeline.core.telling import Teller

SLICE_S = 0.5
LATE_MS = 300
"""So much later a slice is put down; what comes still later than that is left out."""
REFERENCE_S = 1.0
"""The speaker remembers no more of what went out."""
OVERLAP_MS = 60
"""A capture clock that jumps back by less is corrected piece by piece without a gap; by more, sound is left out."""


class Track:
    """One side: mono s16le of `rate_hz` from a moment on, whole up to some moment, silence in gaps."""

    def __init__(self, rate_hz: int) -> None:
        self._per_ms = rate_hz // 1000 * 2
        self._sound = bytearray()
        self._gone_ms = 0.0
        """So much has been taken."""

    @property
    def _end_ms(self) -> float:
        return self._gone_ms + len(self._sound) / self._per_ms

    def put(self, at_ms: float, pcm: bytes) -> None:
        """Where it belongs, within PACKET_MS; what overlaps what is there by more than OVERLAP_MS is left out."""
        gap_ms = at_ms - self._end_ms
        if gap_ms < -OVERLAP_MS:
            return
        if gap_ms > PACKET_MS:
            self._sound += bytes(round(gap_ms) * self._per_ms)
        self._sound += pcm

    def take(self, until_ms: int) -> bytes:
        """Everything up to here, which is whole ms from the beginning; silence where nothing has come."""
        size = round(until_ms - self._gone_ms) * self._per_ms
        taken = bytes(self._sound[:size]).ljust(size, b"\0")
        del self._sound[:size]
        self._gone_ms = float(until_ms)
        return taken


class Tapped:
    """A microphone to which another listens as well; `core.ports.Microphone`."""

    def __init__(self, microphone: Microphone, hear: Callable[[Sound], None]) -> None:
        """`hear` is called first, and may neither block nor raise."""
        self._microphone, self._hear = microphone, hear

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        def both(sound: Sound) -> None:
            self._hear(sound)
            on_sound(sound)

        self._microphone.attach(both, on_end)


class Taping:
    """`begin` and `end` as the visitor decides; `run` beside the call."""

    def __init__(
        self, session_id: str, tenant_id: str, leg: int, clock: SessionClock, speaker: Speaker, recorder: Recorder,
        teller: Teller,
    ) -> None:  # fmt: skip
        self._names = (session_id, tenant_id, leg)
        self._clock, self._speaker, self._recorder, self._teller = clock, speaker, recorder, teller
        self._tape: Tape | None = None
        self._began_ms = 0.0
        self._told_ms = 0.0
        """So far the assistant's sound is on its track."""
        self._visitor = Track(EAR_RATE_HZ)
        self._agent: Track | None = None
        self._agent_hz = 0

    def begin(self) -> None:
        """From now on. Twice is once."""
        if self._tape is not None:
            return
        now_ms = self._clock.now_ms()
        self._tape = self._recorder.open(Recording(*self._names, round(now_ms, 1), time.time()))
        self._began_ms, self._told_ms = now_ms, 0.0
        self._visitor, self._agent = Track(EAR_RATE_HZ), None
        self._teller.tell(EventKind.RECORDING, on=self._tape is not None)

    def end(self, *, keep: bool) -> None:
        """No more of it; not kept: what there is of it is deleted. Does nothing when nothing is recorded."""
        tape, self._tape = self._tape, None
        if tape is None:
            return
        if keep:
            self._cut(tape, late_ms=0)
        tape.close(keep=keep)
        self._teller.tell(EventKind.RECORDING, on=False)

    def heard(self, sound: Sound) -> None:
        """Each piece of the visitor's sound, recorded or not."""
        if self._tape is not None and (at_ms := sound.t_audio_ms - self._began_ms) >= -PACKET_MS:
            self._visitor.put(at_ms, sound.pcm)

    async def run(self) -> None:
        while True:
            await self._clock.clock.sleep(SLICE_S)
            if (tape := self._tape) is not None:
                self._cut(tape, LATE_MS)
                if tape.broken:
                    self.end(keep=True)

    def _cut(self, tape: Tape, late_ms: int) -> None:
        """Puts down what lies far enough back."""
        now_ms = self._clock.now_ms() - self._began_ms
        pcm, rate_hz = self._speaker.reference(min(REFERENCE_S, (now_ms - self._told_ms) / 1000))
        if self._agent is None:
            self._agent, self._agent_hz = Track(rate_hz), rate_hz
        self._agent.put(now_ms - len(pcm) / 2 / rate_hz * 1000, pcm)
        self._told_ms = now_ms
        until_ms = round(now_ms - late_ms) // PACKET_MS * PACKET_MS
        if until_ms > 0:
            tape.write(self._visitor.take(until_ms), self._agent.take(until_ms), self._agent_hz)
