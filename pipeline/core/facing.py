"""The face of one session: frames at 30 Hz while something sounds (15 on a worker that is pressed), a heartbeat twice a
second otherwise.

The voice comes first. When the loop is late, frames are left out; when the face fails, it rests, and the call goes on.

Frames are made a little ahead of the sound and stamped with the moment they belong to, so that a client that plays its
audio out of a jitter buffer can show each at its time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.contracts.audio import PhonemeMark
from pipeline.contracts.face import FaceFrame
from pipeline.contracts.numbers import FACE_BATCH_MS, FACE_EASE_MS, FACE_FPS, FACE_HOLD_MS, WATCHED_S
from pipeline.core.clock import SessionClock
from pipeline.core.ports import FaceTrack, Line
from pipeline.core.surroundings import Load, Meter, Publisher

LEAD_MS = 40.0
HEARTBEAT_S = 0.5
TAIL_MS = FACE_HOLD_MS + FACE_EASE_MS
"""After the last sound the face still moves this long, on its way to neutral."""
LATE_S = 0.12
"""A frame this late means that the loop has too much to do: animation yields (product contract, V8)."""
YIELD_S = 0.5
"""How long it yields; the page holds the last frame and eases to neutral meanwhile."""

log = logging.getLogger(__name__)


class Facing:
    """What sounds is said by the floor; `run` until cancelled. Frames that cannot be sent are dropped: latest wins."""

    def __init__(
        self,
        session_id: str,
        track: FaceTrack,
        clock: SessionClock,
        line: Line | None,
        publisher: Publisher,
        meter: Meter,
        load: Load | None = None,
    ) -> None:
        self._track = track
        self._load = load
        self._meter = meter
        self._failed = False
        self.wanted = True
        """False: the visitor hid the face; watchers still get frames."""
        self._watched_until_s = float("-inf")
        self.lag_ms = 0.0
        """How late the last frame was made."""
        self._session_id = session_id
        self._clock = clock
        self._line = line
        self._publisher = publisher
        self._seq = 0
        self._speaking = False
        self._moves = asyncio.Event()
        self._silent_since_ms = float("-inf")
        self._batch: list[dict[str, Any]] = []

    def watched(self) -> None:
        """Somebody watches from elsewhere; said again and again as long as they do."""
        self._watched_until_s = self._clock.clock.now() + WATCHED_S

    @property
    def _is_watched(self) -> bool:
        return self._clock.clock.now() < self._watched_until_s

    @property
    def _is_seen(self) -> bool:
        """While nobody looks there are no frames."""
        return (self.wanted and self._line is not None) or self._is_watched

    def speech_began(self) -> None:
        self._speaking = True
        self._moves.set()

    def speech_over(self, *, cut: bool) -> None:
        self._speaking = False
        self._silent_since_ms = self._clock.now_ms()
        if cut:
            self._guarded(lambda: self._track.flush(self._silent_since_ms))

    def add(self, phonemes: Sequence[PhonemeMark], start_ms: float, end_ms: float) -> None:
        """What will sound, on the session's clock. See `core.ports.FaceTrack`."""
        self._guarded(lambda: self._track.add(phonemes, start_ms, end_ms))

    async def run(self) -> None:
        """Ends when the face has failed."""
        await asyncio.gather(self._move(), self._rest())

    async def _rest(self) -> None:
        """A heartbeat while nothing is said."""
        while not self._failed:
            if self._is_seen and not self._moving():
                self._meter.face_lag(0.0)
                self._guarded(lambda: self._frame(heartbeat=True))
            await self._clock.clock.sleep(HEARTBEAT_S)

    async def _move(self) -> None:
        """Absolute deadlines: naive sleeps lose two frames a second."""
        while not self._failed:
            await self._moves.wait()
            self._moves.clear()
            due = self._clock.clock.now()
            while self._moving() and not self._failed:
                lag_s = self._clock.clock.now() - due
                self._meter.face_lag(max(0.0, lag_s))
                self.lag_ms = max(0.0, lag_s) * 1000.0
                if not self._is_seen:
                    due = self._clock.clock.now() + HEARTBEAT_S
                elif lag_s > LATE_S:
                    self._meter.face_yielded()
                    due = self._clock.clock.now() + YIELD_S
                else:
                    self._guarded(lambda: self._frame(heartbeat=False))
                    step_s = 1.0 / self._fps
                    due = max(due + step_s, self._clock.clock.now() - step_s)
                await self._clock.clock.sleep(due - self._clock.clock.now())

    def _guarded(self, work: Callable[[], None]) -> None:
        """An engine's arithmetic, in the middle of a reply: whatever it raises, sound must not notice."""
        if self._failed:
            return
        try:
            work()
        except Exception:
            self._failed = True
            self._moves.set()
            self._meter.failed("face")
            log.exception("the face failed and rests; the voice goes on")

    @property
    def _fps(self) -> int:
        """Lower while the worker is pressed."""
        return FACE_FPS // (self._load.face_stride if self._load else 1)

    def _moving(self) -> bool:
        return self._speaking or self._clock.now_ms() - self._silent_since_ms < TAIL_MS

    def _frame(self, *, heartbeat: bool) -> None:
        t_ms = self._clock.now_ms() + LEAD_MS
        frame = FaceFrame(self._session_id, self._seq, t_ms, self._fps, heartbeat, self._track.pose(t_ms)).to_wire()
        self._seq += 1
        if self._line is not None and self.wanted:
            self._line.face(frame)
        if not self._is_watched:
            return
        self._batch.append(frame)
        if heartbeat or len(self._batch) * 1000.0 / self._fps >= FACE_BATCH_MS:
            self._publisher.faces(self._session_id, self._batch)
            self._batch = []
