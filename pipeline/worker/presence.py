"""The worker shows that it is there: to the channel layer, and to the office by vouching for its sessions."""

import asyncio
import logging
from collections.abc import Callable

from pipeline.contracts.wire import WORKERS_GROUP
from pipeline.core.threads import Threads
from pipeline.worker.layer import Layer

TOUCH_EVERY_S = 10.0
REJOIN_EVERY_S = 30.0
"""The layer forgets its groups when it restarts: join again this often."""

log = logging.getLogger(__name__)


async def stay_joined(layer: Layer, address: str) -> None:
    """Until cancelled. What is for all workers comes to this address."""
    while True:
        try:
            await layer.group_add(WORKERS_GROUP, address)
        except Exception as error:  # whatever the layer raises; the next round tries again
            log.warning("the worker could not join its group (%s)", error)
        await asyncio.sleep(REJOIN_EVERY_S)


async def keep_touch(touch: Callable[[list[str]], None], sessions: Callable[[], list[str]]) -> None:
    """Until cancelled. Tells the office which sessions live here; it ends those that nobody vouches for. `touch`
    blocks: it has a thread of its own, so that a database that is away keeps nobody else waiting."""
    threads = Threads("touch", "touch", most=1)
    try:
        while True:
            await asyncio.sleep(TOUCH_EVERY_S)
            try:
                await threads.run(touch, sessions())
            except Exception as error:  # the database is away: it will be told in ten seconds
                log.warning("sessions could not be touched (%s)", error)
    finally:
        await threads.close()
