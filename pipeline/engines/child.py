"""A Python process of an engine's own, reached over pipes: for libraries with global state or a greedy hold on the GIL.

The engine's side (this module)::

    child = Child("pipeline.engines.espeak_child", {"option": 1}, engine="tts")
    await child.start()
    with await child.open({"voice": "en-us"}) as call:      # leaving the block aborts what is not finished
        await call.send("Hello.")                           # waits while the child has WINDOW items unhandled
        call.end()                                          # nothing more from this side
        async for item in call:                             # ends when the child has handled all and closed its side
            ...
    await child.close()

The child's side is a module with `serve(options) -> Opener`, see `pipeline.engines.child_stream`.

The protocol. Frames (`child_frames`) are `[stream, kind, body]`; both sides may send on any number of streams at once.

| kind | direction | body | meaning |
| --- | --- | --- | --- |
| `open` | → child, stream 0 | options | first frame of all: call `serve(options)` |
| `open` | ← child, stream 0 | none | it is ready |
| `open` | → child | `[owner, request]` | a new stream; numbers grow and are never used twice |
| `item` | both | anything msgpack carries | what the stream is about |
| `more` | both | n | n items were taken: n more may come. Each side begins with WINDOW |
| `end` | both | none | no more items from this side; the child ends after it has handled everything |
| `abort` | → child | none | forget this stream at once; nothing is answered |
| `error` | ← child | text | this stream failed and is over; on stream 0: `serve` failed |

So no buffer grows: at most WINDOW items of a stream lie on either side, plus what one step of the child's work made.
The child dies: every open call raises EngineError, and the next `open` starts another. The parent dies: the child
reads end-of-file on its standard input and exits. It ignores SIGINT and SIGTERM, which terminals and service
supervisors send to whole groups: a worker that drains still needs its voice. What it writes to stderr goes to the log.
"""

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Final

import pipeline
from pipeline.contracts.errors import EngineError
from pipeline.engines import child_frames as frames
from pipeline.engines.child_call import Call
from pipeline.engines.child_frames import Frame

__all__ = ["Call", "Child"]

logger = logging.getLogger(__name__)

START_LIMIT_S: Final = 60.0
"""A child that is not ready by then (models are read from disk) is given up."""
CLOSE_LIMIT_S: Final = 3.0
"""A child that has not gone this long after end-of-file is killed."""

PASSED_ON: Final = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT"})
"""Environment variables that a child inherits, next to Python's own."""


class Child:
    """One child process, started at first use and again after its death. Belongs to the event loop that starts it."""

    def __init__(self, module: str, options: dict[str, Any], *, engine: str) -> None:
        """`module` offers `serve(options)`; `engine` is the port's name in EngineErrors (asr, tts, ...)."""
        self.engine = engine
        self._module = module
        self._options = options
        self._process: Process | None = None
        self._calls: dict[int, Call] = {}
        self._last_stream = 0
        self._readers: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None and not self._readers[0].done()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process unless it runs, and wait until it is ready. Raises EngineError."""
        async with self._starting:
            if self._closed:
                raise EngineError(self.engine, f"{self._module} is closed")
            if self.alive:
                return
            if self._process is not None:
                logger.warning("%s has ended; starting another", self._module)
                await self._end_process()
            await self._start_process()

    async def open(self, request: Any = None, *, owner: str = "") -> Call:
        """A new stream; starts the child (again) where needed. `owner`: whose it is (a tenant); the child is fair to
        owners, not to streams. Raises EngineError."""
        await self.start()
        self._last_stream += 1
        call = self._call(self._last_stream)
        self._write(Frame(call.stream, frames.OPEN, [owner, request]))
        return call

    async def close(self) -> None:
        """End the process; open calls raise EngineError. May be called twice."""
        self._closed = True
        async with self._starting:
            await self._end_process()

    async def _start_process(self) -> None:
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pipeline.engines.child_main", self._module),
                stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_environment(),
            )  # fmt: skip
        except OSError as error:
            raise EngineError(self.engine, f"{self._module} did not start: {error}") from error
        greeting = self._call(0)
        self._readers = [
            asyncio.create_task(self._listen(process), name=f"{self._module} frames"),
            asyncio.create_task(self._log(process), name=f"{self._module} stderr"),
        ]
        self._write(Frame(0, frames.OPEN, self._options))
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await greeting.opened()
            self._forget(greeting)
        except (TimeoutError, EngineError) as error:
            await self._end_process()
            raise EngineError(self.engine, f"{self._module} did not start: {error or 'no answer'}") from error
        except asyncio.CancelledError:
            await self._end_process()
            raise

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await process.wait()
        except TimeoutError:
            logger.warning("%s did not end by itself", self._module)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.gather(process.wait(), *self._readers)

    async def _listen(self, process: Process) -> None:
        """Hand the child's frames to their calls until it ends, then fail the calls that are open."""
        assert process.stdout is not None
        reason = "its process ended"
        try:
            while True:
                size = frames.size_of(await process.stdout.readexactly(frames.HEADER.size))
                self._route(frames.unpack(await process.stdout.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except ValueError as error:
            reason = str(error)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.fail(f"{self._module}: {reason}")

    def _route(self, frame: Frame) -> None:
        """Frames of a stream that was aborted meanwhile find nobody, and that is right."""
        if call := self._calls.get(frame.stream):
            call.take(frame)

    async def _log(self, process: Process) -> None:
        assert process.stderr is not None
        while text := await process.stderr.read(8192):
            for line in text.decode(errors="replace").splitlines():
                logger.warning("%s: %s", self._module, line)

    def _write(self, frame: Frame) -> None:
        """Never waits: windows bound what can pile up. A dead child's frames are dropped; `_listen` tells the calls."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(frames.pack(frame))

    def _call(self, stream: int) -> Call:
        call = self._calls[stream] = Call(self.engine, stream, self._write, self._forget)
        return call

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.stream, None)


def _environment() -> dict[str, str]:
    """The child finds this package wherever the parent found it. Settings and secrets are none of its business."""
    root = str(Path(pipeline.__file__).resolve().parent.parent)
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}
