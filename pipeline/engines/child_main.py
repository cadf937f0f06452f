"""The child's side of `pipeline.engines.child`: `python -m pipeline.engines.child_main MODULE`.

MODULE offers `serve(options: dict) -> Opener`, called once. The opener is called for each new stream with its request
and a `send`; it returns the stream's Talk, which is given the stream's items one by one. `receive` either answers
at once or returns an iterator, each step of which is a small piece of work: between steps other streams have their
turn, and no step is begun while the parent has not taken what the last ones sent. All runs in one thread, so libraries
with global state are safe.
"""

import collections
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

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


Opener = Callable[[Any, Send], Talk]


class Stream:
    """A talk with its windows: what waits to be handled, and what waits to be sent."""

    def __init__(self, number: int, write: Callable[[Frame], None]) -> None:
        self.number = number
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


class Switch:
    """All streams of this process: a thread reads frames, the caller of `run` works on them in turn."""

    def __init__(self, opener: Opener, write: Callable[[Frame], None]) -> None:
        self._opener = opener
        self._write = write
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._streams: dict[int, Stream] = {}

    def receive(self, frame: Frame) -> None:
        """From the reading thread. An abort is seen at once, also by a step under way (its `send` turns False)."""
        if frame.kind == frames.ABORT and (stream := self._streams.get(frame.stream)):
            stream.aborted = True
        self._frames.put(frame)

    def run(self) -> None:
        while True:
            ready = [stream for stream in self._streams.values() if stream.ready]
            for stream in ready:
                stream.step()
            self._take_frames(wait=not ready)

    def _take_frames(self, *, wait: bool) -> None:
        while wait or not self._frames.empty():
            self._take(self._frames.get())
            wait = False
        for number in [n for n, stream in self._streams.items() if stream.over]:
            del self._streams[number]

    def _take(self, frame: Frame) -> None:
        if frame.kind == frames.OPEN:
            self._streams[frame.stream] = opened = Stream(frame.stream, self._write)
            opened.open(self._opener, frame.body)
        elif stream := self._streams.get(frame.stream):
            stream.take(frame)


def main(module: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    source, sink = _pipes()

    def write(frame: Frame) -> None:
        sink.write(frames.pack(frame))
        sink.flush()

    first = frames.read_frame(source.read)
    if first is None:
        return
    try:
        opener = importlib.import_module(module).serve(first.body)
    except Exception as error:
        traceback.print_exc()
        write(Frame(0, frames.ERROR, f"{type(error).__name__}: {error}"))
        return
    switch = Switch(opener, write)
    threading.Thread(target=_read, args=(source, switch), name="frames", daemon=True).start()
    write(Frame(0, frames.OPEN))
    switch.run()


def _read(source: BinaryIO, switch: Switch) -> None:
    """End-of-file: the parent closed us, or is dead. Leave at once, whatever the working thread is doing."""
    try:
        while frame := frames.read_frame(source.read):
            switch.receive(frame)
    finally:
        os._exit(0)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our ends of the pipes. What a library prints on stdout must not get between frames: it goes to stderr."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a file descriptor is what is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return source, sink


if __name__ == "__main__":
    main(sys.argv[1])
