"""The channel layer as the worker sees it: a Protocol (this room imports no channels), and retries around it."""

import asyncio
import logging
from typing import Any, Protocol

log = logging.getLogger(__name__)


class Layer(Protocol):
    """The part of the ASGI channel layer specification that we use."""

    async def send(self, channel: str, message: dict[str, Any]) -> None: ...
    async def receive(self, channel: str) -> dict[str, Any]: ...
    async def new_channel(self, prefix: str = ...) -> str: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


RETRY_S = 0.5


async def receive(layer: Layer, channel: str) -> dict[str, Any]:
    """The next message, however often the layer goes away in between. Calls never depend on it: they just go on."""
    said = False
    while True:
        try:
            return await layer.receive(channel)
        except Exception as error:  # redis, socket and timeout errors differ from layer to layer
            if not said:
                log.warning("the channel layer is away (%s: %s); trying again", type(error).__name__, error)
                said = True
            await asyncio.sleep(RETRY_S)
