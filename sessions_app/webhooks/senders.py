"""The threads of this process that deliver: each has one message at a time, and ends when nothing is due.

Not a task each: a Celery worker has few places, and a receiver that takes its 15 s would keep other work waiting.
A process that dies takes its threads along; what they had claimed becomes due again.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog
from django.db import DatabaseError, connections

from sessions_app.webhooks import delivery
from sessions_app.webhooks.delivery import Claim

log = structlog.get_logger(__name__)

MOST: Final = 32


class Senders:
    def __init__(
        self,
        most: int = MOST,
        claim: Callable[[int], list[Claim]] = delivery.claim,
        attempt: Callable[[Claim], None] = delivery.attempt,
    ) -> None:
        self._most, self._claim, self._attempt = most, claim, attempt
        self._lock, self._busy = threading.Lock(), 0

    def deliver_due(self) -> int:
        """Begins with what is due and returns at once; how many it began with. Raises DatabaseError."""
        with self._lock:
            room = self._most - self._busy
            claims = self._claim(room) if room else []
            self._busy += len(claims)
        for one in claims:
            threading.Thread(target=self._work, args=(one,), name="webhook", daemon=True).start()
        return len(claims)

    def _work(self, one: Claim) -> None:
        try:
            self._attempt(one)
        except Exception as error:
            # Nobody is told: the claim runs out, and it is due again. No traceback, which would carry visitors' words.
            log.error("webhook_attempt_failed", delivery=one.delivery_id, error=type(error).__name__)  # noqa: TRY400
        with self._lock:
            self._busy -= 1
        try:
            self.deliver_due()
        except DatabaseError as error:
            log.warning("webhooks_wait_for_the_database", error=type(error).__name__)
        finally:
            connections.close_all()


senders: Final = Senders()
