"""How hard this worker is pressed: measured every second, and made into a level (`core.degradation`).

What is kept of a turn, a frame or a tick is one number in a bounded window.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.contracts.dialogue import Origin, TurnRecord
from pipeline.contracts.wire import Report
from pipeline.core import degradation
from pipeline.core.degradation import Ladder, Level, Pressure
from pipeline.core.ports import Clock
from pipeline.core.rolling import Rolling
from pipeline.worker import metrics
from pipeline.worker.door import Door
from pipeline.worker.gpus import Gpus
from pipeline.worker.settings import WorkerSettings

LOOK_EVERY_S: Final = 1.0
TTFA_TURNS: Final = 200
TTFA_AGE_S: Final = 120.0
TTFA_LEAST: Final = 20
"""Turns that make a p95: of fewer, the slowest alone would set it. Without turns it goes away after TTFA_AGE_S."""
ERROR_AGE_S: Final = 60.0
ERROR_LEAST: Final = 20
"""Turns, failed or not, that make a share: one failure of them is not more than the 5 % that close the doors."""
LAG_AGE_S: Final = 5.0
LOOP_LAGS: Final = 50
FACE_LAGS: Final = 600
LAGS_LEAST: Final = 20
PACKET_LOOKS: Final = 5
COUNTED: Final = frozenset({"asr", "llm", "tts", "reply", "session"})
"""Failures that a visitor notices. A face that rests or a version that comes later is none."""

Stats = Callable[[], Mapping[str, Mapping[str, float]]]
"""Session id → `core.ports.Line.stats()`, of the sessions that run."""

log = logging.getLogger(__name__)


class WorkerLoad:
    """The Load port. `run` until cancelled; everything else is told to it on the loop, and costs next to nothing."""

    def __init__(self, seats: int, taken: Callable[[], int], stats: Stats, clock: Clock, gpus: Gpus | None) -> None:
        """`taken`: seats that are taken now. `gpus`: None where there are none."""
        self.door = Door()
        self._seats, self._taken = seats, taken
        self._clock, self._gpus = clock, gpus
        self._packets = Packets(stats)
        self._ladder, self._strain = Ladder(), Ladder()
        """The level, and what it would be but for the seats: that most are taken does not keep the last ones empty."""
        self._pressure = Pressure(seats=seats)
        self._ttfa_ms = Rolling(most=TTFA_TURNS, age_s=TTFA_AGE_S)
        self._turns = Rolling(most=2000, age_s=ERROR_AGE_S)
        self._failures = Rolling(most=2000, age_s=ERROR_AGE_S)
        self._loop_lag_ms = Rolling(most=LOOP_LAGS, age_s=LAG_AGE_S)
        self._face_lag_ms = Rolling(most=FACE_LAGS, age_s=LAG_AGE_S)

    # Told ---------------------------------------------------------------------------------------------------------

    def turn(self, record: TurnRecord) -> None:
        """A turn is finished."""
        now = self._clock.now()
        if record.origin != Origin.GREETING:
            self._turns.add(1.0, now)
            if not record.warmup and "ttfa_ms" in record.timings:
                self._ttfa_ms.add(record.timings["ttfa_ms"], now)

    def failed(self, where: str) -> None:
        if where in COUNTED:
            self._failures.add(1.0, self._clock.now())

    def face_lag(self, lag_s: float) -> None:
        self._face_lag_ms.add(lag_s * 1000.0, self._clock.now())

    def loop_lag(self, lag_s: float) -> None:
        self._loop_lag_ms.add(lag_s * 1000.0, self._clock.now())

    # Asked --------------------------------------------------------------------------------------------------------

    @property
    def level(self) -> Level:
        return self._ladder.level

    @property
    def max_tokens(self) -> int:
        return degradation.max_tokens(self.level)

    @property
    def terse(self) -> bool:
        return degradation.terse(self.level)

    @property
    def essential_tools_only(self) -> bool:
        return degradation.essential_tools_only(self.level)

    @property
    def face_stride(self) -> int:
        return degradation.face_stride(self.level)

    def report(self, settings: WorkerSettings, *, ready: bool) -> Report:
        """How this worker stands, for whoever asks."""
        return Report(
            worker=settings.name,
            pool=settings.pool,
            level=int(self.level),
            why=self._ladder.why if self.level else "",
            admits=self.door.is_open and ready,
            rejects=self._strain.level >= Level.SESSION_REJECT and not self.door.is_open,
            sessions=self._taken(),
            seats=self._seats,
            loop_lag_ms=round(self._pressure.loop_lag_ms, 1),
            ttfa_p95_ms=self._pressure.ttfa_p95_ms,
        )

    # Measured -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            vram_share = await self._gpus.share() if self._gpus is not None else None
            self.look(vram_share)

    def look(self, vram_share: float | None = None) -> None:
        """Once a second."""
        now, before = self._clock.now(), self.level
        self._pressure = self._measure(now, vram_share)
        level = self._ladder.step(self._pressure, now)
        strain = self._strain.step(self._pressure.without_seats(), now)
        # Who holds nobody is not relieved by refusing: whatever is slow here is not of its own making.
        self.door.set(open_=strain < Level.SESSION_QUEUE or self._taken() == 0)
        metrics.show_pressure(self._pressure, level)
        if level != before:
            metrics.DEGRADATION_CHANGES.labels(str(int(level))).inc()
            # A small worker that fills up is no news to wake anybody for.
            severity = logging.WARNING if strain else logging.INFO
            log.log(severity, "level %d %s (%s)", level, level.name, self._ladder.why or "calm")

    def _measure(self, now: float, vram_share: float | None) -> Pressure:
        turns, failures = len(self._turns.values(now)), len(self._failures.values(now))
        known = max(turns, failures) >= ERROR_LEAST
        return Pressure(
            ttfa_p95_ms=self._ttfa_ms.p95(now, TTFA_LEAST),
            vram_share=vram_share,
            sessions=self._taken(),
            seats=self._seats,
            error_share=failures / max(turns, failures) if known else 0.0,
            animation_lag_ms=self._face_lag_ms.p95(now, LAGS_LEAST) or 0.0,
            loop_lag_ms=self._loop_lag_ms.p95(now, LAGS_LEAST) or 0.0,
            frame_share=self._packets.share(),
        )


class Packets:
    """Audio packets that went out of those that were due, over the last looks. Lines that do not say what was due
    (`packets_due`) are left out."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._before: dict[str, tuple[float, float]] = {}
        self._looks: deque[tuple[float, float]] = deque(maxlen=PACKET_LOOKS)

    def share(self) -> float:
        """1.0 where nothing was due."""
        now = {
            session: (numbers["packets_out"], numbers["packets_due"])
            for session, numbers in self._stats().items()
            if "packets_due" in numbers
        }
        both = [(now[s][0] - self._before[s][0], now[s][1] - self._before[s][1]) for s in now.keys() & self._before]
        self._before = now
        self._looks.append((sum(min(out, due) for out, due in both), sum(due for _, due in both)))
        due = sum(due for _, due in self._looks)
        return sum(out for out, _ in self._looks) / due if due > 0 else 1.0
