"""Celery inside this process, for embedded mode: a worker and beat in threads, on the in-memory broker."""

import threading
from typing import Any

import structlog
from celery.beat import EmbeddedService
from celery.worker import WorkController, state

from goassist_site.celery import app

log = structlog.get_logger(__name__)

STOP_LIMIT_S = 5.0
CONCURRENCY = 2
"""A soak test and something else beside it."""


class Background:
    """`start()` once per process; `stop()` waits for both threads, not longer than STOP_LIMIT_S each."""

    def __init__(self) -> None:
        app.finalize()
        app.set_default()
        self._worker = WorkController(
            app=app,
            pool="threads",
            concurrency=CONCURRENCY,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        # The schedule lies in the settings: no file for what was last run.
        self._beat: Any = EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler")
        self._thread = threading.Thread(target=self._worker.start, name="celery", daemon=True)

    def start(self) -> None:
        state.should_stop = None
        self._thread.start()
        self._beat.start()

    def stop(self) -> None:
        self._beat.service.stop()
        state.should_stop = 0
        for thread in (self._thread, self._beat):
            thread.join(STOP_LIMIT_S)
        state.should_stop = None
        if self._thread.is_alive():
            log.warning("celery_still_at_work")
