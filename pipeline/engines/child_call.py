"""One stream to a child process, as the engine sees it (`pipeline.engines.child` has the protocol)."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from pipeline.contracts.errors import EngineError
from pipeline.engines import child_frames as frames
from pipeline.engines.child_frames import WINDOW, Frame


class Call:
    """One stream to the child. One task sends, one task iterates."""

    def __init__(
        self, engine: str, stream: int, write: Callable[[Frame], None], forget: Callable[["Call"], None]
    ) -> None:
        """`engine` is the port's name in EngineErrors; `forget` is told when no more frames of this stream matter."""
        self.stream = stream
        self._engine = engine
        self._write = write
        self._forget = forget
        self._items: deque[Any] = deque()
        self._taken = 0
        self._room = WINDOW
        self._failure = ""
        self._over = False
        self._ready = False
        self._change = asyncio.Event()

    def offer(self, item: Any) -> bool:
        """Send if there is room; False: the child has WINDOW items unhandled. Raises EngineError when it failed."""
        self._check()
        if self._room == 0 or self._over:
            return False
        self._room -= 1
        self._write(Frame(self.stream, frames.ITEM, item))
        return True

    async def send(self, item: Any) -> None:
        """Send, waiting for room. Raises EngineError; also when the stream is over."""
        while not self.offer(item):
            if self._over:
                raise EngineError(self._engine, "this stream is over")
            await self._changed()

    def end(self) -> None:
        """Nothing more from this side; the iterator ends when the child has answered everything."""
        self._write(Frame(self.stream, frames.END))

    def abort(self) -> None:
        """Over, at once: what the child still says about it is ignored. Does nothing on a stream that is over."""
        if not self._over:
            self._over = True
            self._items.clear()
            self._forget(self)
            self._write(Frame(self.stream, frames.ABORT))
            self._change.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """The child's next item. Raises EngineError when it failed or died."""
        while not self._items:
            self._check()
            if self._over:
                raise StopAsyncIteration
            await self._changed()
        self._taken += 1
        if self._taken >= WINDOW // 2 and not self._over:
            self._write(Frame(self.stream, frames.MORE, self._taken))
            self._taken = 0
        return self._items.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abort()

    async def opened(self) -> None:
        """Wait for the child's `open` (stream 0 only). Raises EngineError."""
        while not self._ready:
            self._check()
            await self._changed()

    def take(self, frame: Frame) -> None:
        """A frame from the child."""
        match frame.kind:
            case frames.ITEM:
                self._items.append(frame.body)
            case frames.MORE:
                self._room += frame.body
            case frames.OPEN:
                self._ready = True
            case frames.END:
                self._over = True
                self._forget(self)
            case frames.ERROR:
                self._forget(self)
                self.fail(frame.body)
        self._change.set()

    def fail(self, reason: str) -> None:
        self._failure = reason
        self._over = True
        self._change.set()

    def _check(self) -> None:
        if self._failure:
            raise EngineError(self._engine, self._failure)

    async def _changed(self) -> None:
        self._change.clear()
        await self._change.wait()
