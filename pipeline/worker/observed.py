"""Metrics at the worker's edges: turns as they are put down, media as it runs."""

import asyncio
import logging
from collections.abc import Mapping

from pipeline.contracts.dialogue import Record, TurnRecord, Usage
from pipeline.contracts.numbers import BUDGET_MS
from pipeline.core.session import Session
from pipeline.core.surroundings import Journal
from pipeline.worker import metrics
from pipeline.worker.load import WorkerLoad

LOOK_EVERY_S = 5.0


log = logging.getLogger(__name__)


class PrometheusMeter:
    """The Meter port. What drives the level goes to the load as well."""

    def __init__(self, load: WorkerLoad | None = None) -> None:
        self._load = load

    def failed(self, where: str) -> None:
        metrics.ERRORS.labels(where).inc()
        if self._load is not None:
            self._load.failed(where)

    def face_lag(self, lag_s: float) -> None:
        metrics.ANIMATION_LAG.observe(lag_s)
        if self._load is not None:
            self._load.face_lag(lag_s)

    def prompt(self, tokens: int, *, speculative: bool = False) -> None:
        metrics.CONTEXT_TOKENS.observe(tokens)

    def speculation(self, outcome: str) -> None:
        metrics.SPECULATIONS.labels(outcome).inc()

    def interruption(self, outcome: str) -> None:
        metrics.INTERRUPTIONS.labels(outcome).inc()

    def spent(self, component: str, actual_ms: float) -> None:
        metrics.ACTUAL.labels(component).observe(actual_ms)
        if actual_ms > BUDGET_MS[component]:
            metrics.OVERAGE.labels(component).inc()

    def turn_timeout(self) -> None:
        metrics.TURN_TIMEOUTS.inc()

    def usage(self, usage: Usage, *, speculative: bool = False) -> None:
        metrics.PROMPT_TOKENS.labels(str(speculative).lower()).inc(usage.prompt_tokens)
        metrics.PROMPT_CACHED_TOKENS.inc(usage.cached_tokens)

    def rollover(self, outcome: str) -> None:
        metrics.ROLLOVERS.labels(outcome).inc()

    def signals(self, verbosity: float, clarification: float) -> None:
        metrics.REPLY_VERBOSITY.observe(verbosity)
        metrics.REPLY_CLARIFICATION.observe(clarification)

    def face_yielded(self) -> None:
        metrics.ANIMATION_YIELDS.inc()


class ObservedJournal:
    """A Journal that counts finished turns on their way."""

    def __init__(self, inner: Journal, load: WorkerLoad) -> None:
        self._inner = inner
        self._load = load

    def record(self, record: Record) -> None:
        self._inner.record(record)
        if isinstance(record, TurnRecord) and record.kind == "told":
            metrics.observe_turn(
                record.timings, origin=record.origin, interrupted=record.interrupted, warmup=record.warmup
            )
            self._load.turn(record)
            if record.cancel_reason:
                metrics.CANCELS.labels(record.cancel_reason).inc()


def line_stats(sessions: Mapping[str, Session]) -> dict[str, dict[str, float]]:
    """Of the sessions that have a line. One that is just closing may raise whatever it likes."""
    found = {}
    for session_id, session in list(sessions.items()):
        try:
            found[session_id] = session.line.stats() if session.line is not None else {}
        except Exception:
            log.debug("a line that is closing could not be looked at", exc_info=True)
    return found


async def watch_media(sessions: Mapping[str, Session]) -> None:
    """Loss, jitter and jitter-buffer delay of the sessions that run, every few seconds."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            _look(sessions)
        except Exception:  # numbers of a line that is just closing are no reason to stop looking, or worse
            log.exception("media could not be looked at")


def _look(sessions: Mapping[str, Session]) -> None:
    stats = [s.line.stats() for s in list(sessions.values()) if s.line is not None]
    metrics.PACKETS_LOST.set(sum(s.get("packets_lost", 0.0) for s in stats))
    metrics.PACKET_JITTER.set(max((s.get("jitter_ms", 0.0) for s in stats), default=0.0) / 1000.0)
    metrics.JITTER_BUFFER.set(max((s.get("jitter_buffer_ms", 0.0) for s in stats), default=0.0) / 1000.0)
