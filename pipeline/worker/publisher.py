"""Live news to the office: a bounded queue and one task: a slow or absent channel layer costs nothing but news."""

import asyncio
import logging
from typing import Any

from pipeline.contracts.wire import events_group, faces_group, session_event, session_faces
from pipeline.core.stream import Stream, WhenFull
from pipeline.worker import metrics
from pipeline.worker.layer import Layer

BOUND = 512
"""Drops the oldest beyond this: about a second of news of a full worker."""
SEND_LIMIT_S = 2.0

log = logging.getLogger(__name__)


class LayerPublisher:
    """The Publisher port over a channel layer."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._queue: Stream[tuple[str, dict[str, Any]]] = Stream(BOUND, WhenFull.DROP_OLDEST)
        self._away = False

    def event(self, session_id: str, event: dict[str, Any]) -> None:
        self._put(events_group(session_id), session_event(event))

    def faces(self, session_id: str, frames: list[dict[str, Any]]) -> None:
        self._put(faces_group(session_id), session_faces(frames))

    def _put(self, group: str, message: dict[str, Any]) -> None:
        dropped = self._queue.dropped
        self._queue.offer((group, message))
        if self._queue.dropped > dropped:
            metrics.PUBLISH_DROPPED.labels("queued").inc()

    async def run(self) -> None:
        while True:
            group, message = await self._queue.get()
            try:
                async with asyncio.timeout(SEND_LIMIT_S):
                    await self._layer.group_send(group, message)
                self._away = False
            except Exception as error:  # whatever the layer raises: news may be lost, the call goes on
                metrics.PUBLISH_DROPPED.labels(message["type"]).inc()
                if not self._away:
                    log.warning("live news are not being sent (%s: %s)", type(error).__name__, error)
                self._away = True
