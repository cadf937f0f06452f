"""What first calls would have to wait for, done before they come (V11: connected within a second)."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pipeline.contracts.spec import AssistantSpec
from pipeline.core.ports import Engines
from pipeline.media import rehearsal as media

LIMIT_S = 20.0
"""A start waits no longer; what is not ready then is made ready by the calls that need it."""

Cast = Callable[[], Sequence[AssistantSpec]]
"""The versions that will probably be called first. Blocks; called in a thread."""

log = logging.getLogger(__name__)


async def rehearse(cast: Cast, engines: Engines) -> None:
    """Before the doors open: a call to nobody, and the cast's knowledge and ears made ready. Raises nothing."""
    began = time.monotonic()
    with _failures_logged():
        async with asyncio.timeout(LIMIT_S):
            await media.one_call()
            specs = await asyncio.to_thread(cast)
            # Twice: a recogniser opens with what it has when a version's words take long to learn. Once known is quick.
            for spec in (*specs, *specs):
                await _make_ready(spec, engines)
    log.info("rehearsed in %.1f s", time.monotonic() - began)


async def learn(spec: AssistantSpec, engines: Engines) -> None:
    """A version was published: its first call need not wait. Raises nothing."""
    with _failures_logged():
        await _make_ready(spec, engines)


async def _make_ready(spec: AssistantSpec, engines: Engines) -> None:
    await engines.know(spec)
    hearing = await engines.asr.open(spec)
    await hearing.close()


@contextmanager
def _failures_logged() -> Iterator[None]:
    """Whatever the office's database, an engine or a socket raises: a worker opens its doors without a rehearsal."""
    try:
        yield
    except Exception as error:
        log.warning("a first call may take longer to connect (%s: %s)", type(error).__name__, error)
