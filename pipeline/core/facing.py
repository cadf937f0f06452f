"""The face of one session: frames at 30 Hz while something sounds, a heartbeat twice a second otherwise.

Frames are made a little ahead of the sound and stamped with the moment they belong to, so that a client that plays its
audio out of a jitter buffer can show each at its time.
"""

from typing import Any

from pipeline.contracts.face import FaceFrame
from pipeline.contracts.numbers import FACE_BATCH_MS, FACE_EASE_MS, FACE_FPS, FACE_HOLD_MS
from pipeline.core.clock import SessionClock
from pipeline.core.ports import FaceTrack, Line, Publisher

LEAD_MS = 40.0
HEARTBEAT_S = 0.5
TAIL_MS = FACE_HOLD_MS + FACE_EASE_MS
"""After the last sound the face still moves this long, on its way to neutral."""


class Facing:
    """`speaking` is set by the floor; `run` until cancelled. Frames that cannot be sent are dropped: latest wins."""

    def __init__(
        self, session_id: str, track: FaceTrack, clock: SessionClock, line: Line | None, publisher: Publisher
    ) -> None:
        self.track = track
        self.wanted = True
        """False: the visitor hid the face; watchers still get frames."""
        self._session_id = session_id
        self._clock = clock
        self._line = line
        self._publisher = publisher
        self._seq = 0
        self._speaking = False
        self._silent_since_ms = float("-inf")
        self._batch: list[dict[str, Any]] = []

    def speech_began(self) -> None:
        self._speaking = True

    def speech_over(self, *, cut: bool) -> None:
        self._speaking = False
        self._silent_since_ms = self._clock.now_ms()
        if cut:
            self.track.flush(self._silent_since_ms)

    async def run(self) -> None:
        """Absolute deadlines: naive sleeps lose two frames a second."""
        step_s = 1.0 / FACE_FPS
        due = self._clock.clock.now()
        while True:
            moving = self._moving()
            self._frame(heartbeat=not moving)
            due = max(due + (step_s if moving else HEARTBEAT_S), self._clock.clock.now() - step_s)
            await self._wait_until(due, wake_when_moving=not moving)

    async def _wait_until(self, due: float, *, wake_when_moving: bool) -> None:
        step_s = 1.0 / FACE_FPS
        while (left := due - self._clock.clock.now()) > 0:
            if wake_when_moving and self._moving():
                return
            await self._clock.clock.sleep(min(left, step_s))

    def _moving(self) -> bool:
        return self._speaking or self._clock.now_ms() - self._silent_since_ms < TAIL_MS

    def _frame(self, *, heartbeat: bool) -> None:
        t_ms = self._clock.now_ms() + LEAD_MS
        frame = FaceFrame(self._session_id, self._seq, t_ms, FACE_FPS, heartbeat, self.track.pose(t_ms)).to_wire()
        self._seq += 1
        if self._line is not None and self.wanted:
            self._line.face(frame)
        self._batch.append(frame)
        if heartbeat or len(self._batch) * 1000.0 / FACE_FPS >= FACE_BATCH_MS:
            self._publisher.faces(self._session_id, self._batch)
            self._batch = []
