"""The child's side of `pipeline.engines.child`: `python -m pipeline.engines.child_main MODULE`.

MODULE offers `serve(options)`, see `pipeline.engines.child_stream`.
"""

import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO

from pipeline.engines import child_frames as frames
from pipeline.engines.child_frames import Frame
from pipeline.engines.child_rota import Rota
from pipeline.engines.child_stream import Opener, Stream


class Switch:
    """All streams of this process: a thread reads frames, the caller of `run` works on them, fair to their owners."""

    def __init__(self, opener: Opener, write: Callable[[Frame], None]) -> None:
        self._opener = opener
        self._write = write
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._streams: dict[int, Stream] = {}
        self._rota = Rota()

    def receive(self, frame: Frame) -> None:
        """From the reading thread. An abort is seen at once, also by a step under way (its `send` turns False)."""
        if frame.kind == frames.ABORT and (stream := self._streams.get(frame.stream)):
            stream.aborted = True
        self._frames.put(frame)

    def run(self) -> None:
        """One small step at a time, and a look at what has come after each."""
        while True:
            ready = [stream for stream in self._streams.values() if stream.ready]
            if ready:
                self._rota.pick(ready).step()
            self._take_frames(wait=not ready)

    def _take_frames(self, *, wait: bool) -> None:
        while wait or not self._frames.empty():
            self._take(self._frames.get())
            wait = False
        if over := [number for number, stream in self._streams.items() if stream.over]:
            for number in over:
                del self._streams[number]
            self._rota.keep(self._streams.values())

    def _take(self, frame: Frame) -> None:
        if frame.kind == frames.OPEN:
            owner, request = frame.body
            self._streams[frame.stream] = opened = Stream(frame.stream, self._write, owner)
            opened.open(self._opener, request)
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
