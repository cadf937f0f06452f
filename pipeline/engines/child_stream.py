"""One stream in the child process: the talk that an engine's child module brings, between its two windows.

MODULE offers `serve(options: dict) -> Opener`, called once. The opener is called for each new stream with its request
and a `send`; it returns the stream's Talk, which is given the stream's items one by one. `receive` either answers at
once or returns an iterator, each step of which is a small piece of work: between steps other streams have their turn
(`child_rota` says whose it is), and no step is begun while the parent has not taken what the last ones sent. All runs
in one thread, so libraries with global state are safe.
"""

import collections
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from pipeline.engines import child_frames as frames
from pipeline.engines.child_frames import WINDOW, Frame

Send = Callable[[Any], bool]
"""Sends an item on this stream; may be called within a step any number of times. False: nobody listens any more."""


class Talk(Protocol):
    """One stream's state in the child."""

    def receive(self, item: Any) -> Iterator[None] | None:
        """Work on an item. An exception ends this stream, not the child; its text goes to the parent."""
        ...

    def close(self) -> None:
        """The stream is over, finished or aborted."""
        ...

    # And, where some work is more pressing than other (optional, asked before each step, so it must be quick):
    # def pressing(self, waiting: Collection[Any]) -> bool
    #     True: somebody waits for what the next step makes. `waiting`: the items that were not handled yet.


Opener = Callable[[Any, Send], Talk]


class Stream:
    """A talk with its windows: what waits to be handled, and what waits to be sent."""

    def __init__(self, number: int, write: Callable[[Frame], None], owner: str = "") -> None:
        self.number = number
        self.owner = owner
        self.aborted = False
        self.over = False
        self._write = write
        self._talk: Talk | None = None
        self._inbox: collections.deque[Any] = collections.deque()
        self._outbox: collections.deque[Any] = collections.deque()
        self._room = WINDOW
        self._work: Iterator[None] | None = None
        self._ending = False

    def open(self, opener: Opener, request: Any) -> None:
        self._guarded(lambda: setattr(self, "_talk", opener(request, self.send)))

    def send(self, item: Any) -> bool:
        if self.aborted or self.over:
            return False
        self._outbox.append(item)
        self._flush()
        return True

    def take(self, frame: Frame) -> None:
        """A frame from the parent."""
        match frame.kind:
            case frames.ITEM:
                self._inbox.append(frame.body)
            case frames.MORE:
                self._room += frame.body
                self._flush()
            case frames.END:
                self._ending = True
            case frames.ABORT:
                self._finish()

    @property
    def ready(self) -> bool:
        """There is something to do, and the parent has taken what was sent."""
        return not self.over and not self._outbox and bool(self._work or self._inbox or self._ending)

    @property
    def pressing(self) -> bool:
        """Somebody waits for what the next step makes."""
        asked = getattr(self._talk, "pressing", None)
        return asked is not None and bool(asked(self._inbox))

    def step(self) -> None:
        """One small piece of work."""
        if self._work is not None:
            self._guarded(self._advance)
        elif self._inbox:
            self._guarded(self._begin)
        else:
            self._write(Frame(self.number, frames.END))
            self._finish()

    def _begin(self) -> None:
        assert self._talk is not None
        self._work = self._talk.receive(self._inbox.popleft())
        if self._work is None:
            self._write(Frame(self.number, frames.MORE, 1))

    def _advance(self) -> None:
        assert self._work is not None
        try:
            next(self._work)
        except StopIteration:
            self._work = None
            self._write(Frame(self.number, frames.MORE, 1))

    def _flush(self) -> None:
        while self._outbox and self._room:
            self._room -= 1
            self._write(Frame(self.number, frames.ITEM, self._outbox.popleft()))

    def _guarded(self, work: Callable[[], None]) -> None:
        """An exception is this stream's end; the other streams go on."""
        try:
            work()
        except Exception as error:
            traceback.print_exc()
            self._write(Frame(self.number, frames.ERROR, f"{type(error).__name__}: {error}"))
            self._finish()

    def _finish(self) -> None:
        if self.over:
            return
        self.over = True
        self._work = None  # drops the iterator: a generator's `finally` runs here
        if self._talk is not None:
            self._talk.close()
