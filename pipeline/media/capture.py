"""When was this sound captured? Pure arithmetic on RTP timestamps and arrival times."""

from pipeline.contracts.numbers import WIRE_RATE_HZ

TICKS_PER_MS = WIRE_RATE_HZ / 1000
LOSS_TICKS = WIRE_RATE_HZ
"""A gap of up to 1 s is loss or a pause of the sender: its clock went on. Anything else is a new beginning."""
WINDOW_FRAMES = 250
"""5 s: each window, the frame that travelled fastest shows how far the sender's clock has drifted from ours."""
DRIFT_MS = 20.0


class CaptureClock:
    """Time of each frame on the session's audio clock: counted in samples, anchored to arrival."""

    def __init__(self) -> None:
        self._anchor_ms = 0.0
        self._expected: int | None = None
        self._least_wait_ms = float("inf")
        self._frames = 0

    def stamp(self, pts: int, samples: int, now_ms: float) -> float:
        """t_audio_ms of the frame's first sample.

        `pts` and `samples` at 48 kHz; `now_ms`: the session's audio clock at arrival.
        """
        if self._expected is None or not 0 <= pts - self._expected <= LOSS_TICKS:
            self._anchor(pts, samples, now_ms)
        self._expected = pts + samples
        self._follow_drift(now_ms - self.time(pts + samples))
        return self.time(pts)

    def time(self, pts: int) -> float:
        """t_audio_ms of the sample with this position."""
        return self._anchor_ms + pts / TICKS_PER_MS

    def _anchor(self, pts: int, samples: int, now_ms: float) -> None:
        """The frame's last sample was captured just now."""
        self._anchor_ms = now_ms - (pts + samples) / TICKS_PER_MS
        self._least_wait_ms, self._frames = float("inf"), 0

    def _follow_drift(self, wait_ms: float) -> None:
        """`wait_ms`: how long the frame's end was under way. No frame comes from the future; none is late for ever."""
        if wait_ms < 0:
            self._anchor_ms += wait_ms
            wait_ms = 0.0
        self._least_wait_ms = min(self._least_wait_ms, wait_ms)
        self._frames += 1
        if self._frames >= WINDOW_FRAMES:
            if self._least_wait_ms > DRIFT_MS:
                self._anchor_ms += self._least_wait_ms
            self._least_wait_ms, self._frames = float("inf"), 0
