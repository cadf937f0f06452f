"""What is made before it may be heard lies in a drawer until the gate opens."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def behind(
    gate: asyncio.Event, source: AsyncGenerator[T, None], on_item: Callable[[], None]
) -> AsyncGenerator[T, None]:
    """What `source` yields, in order, nothing of it before the gate is open; it is read meanwhile, and `on_item` called
    with each that is read.

    Close it before `source`.
    """
    if gate.is_set():
        async for item in source:
            on_item()
            yield item
        return
    drawer: list[T] = []
    opened = asyncio.ensure_future(gate.wait())
    pulled: asyncio.Future[T | None] | None = asyncio.ensure_future(anext(source, None))
    try:
        while not gate.is_set():
            if opened.done():  # and shut again before we woke
                opened = asyncio.ensure_future(gate.wait())
            waiting: set[asyncio.Future[Any]] = {opened} if pulled is None else {opened, pulled}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if pulled is not None and pulled.done():
                pulled = _put_away(pulled, drawer, source)
                on_item()
        for item in drawer:
            yield item
        if pulled is not None and (late := await pulled) is not None:
            on_item()
            yield late
            async for item in source:
                yield item
    finally:
        await _let_go(opened, pulled)


def _put_away(
    pulled: "asyncio.Future[T | None]", drawer: list[T], source: AsyncGenerator[T, None]
) -> "asyncio.Future[T | None] | None":
    """Into the drawer with it; returns the next pull, None at the source's end. Raises what the source raised."""
    item = pulled.result()
    if item is None:
        return None
    drawer.append(item)
    return asyncio.ensure_future(anext(source, None))


async def _let_go(*futures: "asyncio.Future[Any] | None") -> None:
    """A generator that is being read cannot be closed: what still runs is ended first."""
    left = {future for future in futures if future is not None and not future.done()}
    for future in left:
        future.cancel()
    if left:
        await asyncio.wait(left)
