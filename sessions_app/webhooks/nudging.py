"""Telling Celery that there is something to deliver, beside whoever wrote it: they wait for no broker.

A nudge that gets lost costs a few seconds: the beat looks as well (`webhooks.deliver_due`).
"""

import threading

import structlog
from celery import current_app
from celery.exceptions import CeleryError
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)

TASK = "webhooks.deliver"


class Nudger:
    """One thread at most, and only while there is something to say: a broker that hangs holds one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = self._going = False

    def __call__(self) -> None:
        with self._lock:
            self._wanted = True
            if self._going:
                return
            self._going = True
        threading.Thread(target=self._publish, name="webhook-nudge", daemon=True).start()

    def _publish(self) -> None:
        while self._more():
            try:
                current_app.send_task(TASK, ignore_result=True)
            except (CeleryError, KombuError, OSError) as error:
                log.warning("webhooks_not_nudged", error=type(error).__name__)

    def _more(self) -> bool:
        with self._lock:
            self._going, self._wanted = self._wanted, False
            return self._going


nudge = Nudger()
