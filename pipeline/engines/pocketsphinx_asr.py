"""Speech recognition that needs no network and no graphics card: pocketsphinx, in processes of its own.

It holds the interpreter's lock while it works, so it may not share a process with the sound (`pocketsphinx_child`).
Each session lives in one of `processes` children, the one with the fewest sessions. Every assistant version has its own
language model, built once in another process; a session that opens before it is ready begins with the general one and
takes the better one at its next utterance.
"""

import asyncio
import contextlib
import logging
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.contracts.spec import AssistantSpec
from pipeline.engines.child import Call, Child
from pipeline.engines.language_model import ModelFiles
from pipeline.engines.version_models import VersionModels

logger = logging.getLogger(__name__)

BACKLOG_BYTES: Final = 30 * EAR_RATE_HZ * 2
"""Sound that the child has not taken yet, at most: 30 s. More means that it hangs; what comes then is dropped."""


class PocketsphinxAsr:
    """See `core.ports.Asr`."""

    name = "pocketsphinx"

    def __init__(self, *, processes: int = 1, models_dir: str | None = None) -> None:
        """`models_dir` keeps language models from one start to the next; without it they live as long as the engine."""
        self._sessions = {Child("pipeline.engines.pocketsphinx_child", {}, engine="asr"): 0 for _ in range(processes)}
        """How many sessions live in each child."""
        self._models_dir = models_dir
        self._models: VersionModels | None = None
        self._cleanup = contextlib.ExitStack()

    async def start(self) -> None:
        """Raises EngineError when a child does not start or `models_dir` cannot be written."""
        try:
            folder = self._models_dir or self._cleanup.enter_context(
                tempfile.TemporaryDirectory(prefix="goassist-words-")
            )
            self._models = VersionModels(Path(folder))
        except OSError as error:
            raise EngineError("asr", f"language models cannot be kept: {error}") from error
        self._models.begin()
        await asyncio.gather(*(child.start() for child in self._sessions))

    async def open(self, spec: AssistantSpec) -> "PocketsphinxHearing":
        if self._models is None:
            raise EngineError("asr", "pocketsphinx has not been started")
        await self._models.prepare(spec)
        child = min(self._sessions, key=self._sessions.__getitem__)
        self._sessions[child] += 1
        call = partial(child.open, owner=spec.tenant_id)
        return PocketsphinxHearing(call, partial(self._leave, child), partial(self._models.files, spec.digest()))

    async def close(self) -> None:
        if self._models is not None:
            await self._models.close()
        await asyncio.gather(*(child.close() for child in self._sessions))
        self._cleanup.close()

    def _leave(self, child: Child) -> None:
        self._sessions[child] -= 1


class PocketsphinxHearing:
    """One session's recogniser. See `core.ports.Hearing`."""

    def __init__(self, call: Callable[[], Awaitable[Call]], leave: Callable[[], None], files: Callable[[], ModelFiles]):
        """`call` opens a stream to the child, `leave` says that the session is gone, `files` which model to use now."""
        self._call = call
        self._leave = leave
        self._files = files
        self._model: list[str] = []
        """Model and dictionary of the utterance under way; empty between utterances."""
        self._orders: deque[list[Any]] = deque()
        self._ordered = asyncio.Event()
        self._partial = ""
        self._number = 0
        """Of the utterance under way, or of the next one."""
        self._final: asyncio.Future[Transcript] | None = None
        self._final_of = -1
        """The utterance whose last words are waited for."""
        self._questions: dict[int, asyncio.Future[Transcript]] = {}
        """Those who wait for what was said so far."""
        self._asked = 0
        self._failure: Exception | None = None
        self._order("warm", *_paths(files()))
        self._task = asyncio.create_task(self._run(), name="pocketsphinx hearing")

    @property
    def partial(self) -> str:
        return self._partial

    def feed(self, pcm: bytes) -> None:
        if not self._model:
            self._model = _paths(self._files())
        if not self._orders or self._orders[-1][0] != "pcm":
            self._order("pcm", self._number, *self._model, bytearray(pcm))
        elif len(self._orders[-1][-1]) < BACKLOG_BYTES:
            self._orders[-1][-1].extend(pcm)

    async def so_far(self) -> Transcript:
        if self._failure is not None:
            raise self._failure
        if not self._model:
            return Transcript("", 0.0)
        self._asked += 1
        question, answer = self._asked, asyncio.get_running_loop().create_future()
        self._questions[question] = answer
        self._order("so_far", question)
        try:
            return await answer
        finally:
            self._questions.pop(question, None)

    async def finish(self) -> Transcript:
        if self._failure is not None:
            failure = self._failure
            self.discard()
            raise failure
        if not self._model:
            return Transcript("", 0.0)
        self._final = asyncio.get_running_loop().create_future()
        self._final_of = self._number
        self._order("finish", self._number)
        self._begin_anew()
        return await self._final

    def discard(self) -> None:
        self._failure = None
        if self._model:
            self._order("discard")
            self._begin_anew()

    async def close(self) -> None:
        if not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._leave()

    def _begin_anew(self) -> None:
        self._model, self._partial = [], ""
        self._number += 1

    def _order(self, *order: Any) -> None:
        self._orders.append(list(order))
        self._ordered.set()

    async def _run(self) -> None:
        """A stream to the child while it lives; when it fails, another one for the next order."""
        while True:
            try:
                with await self._call() as call:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._send_orders(call))
                        both.create_task(self._listen(call))
            except* EngineError as errors:
                self._fail(errors.exceptions[0])
            await self._next_order()

    async def _send_orders(self, call: Call) -> None:
        while True:
            order = await self._next_order()
            self._orders.popleft()
            await call.send([bytes(part) if isinstance(part, bytearray) else part for part in order])

    async def _listen(self, call: Call) -> None:
        async for item in call:
            self._take(item)

    async def _next_order(self) -> list[Any]:
        while not self._orders:
            self._ordered.clear()
            await self._ordered.wait()
        return self._orders[0]

    def _take(self, item: list[Any]) -> None:
        """What is not about the utterance under way (or the one just finished) came too late and is dropped."""
        match item:
            case ["partial", number, text] if self._model and number == self._number:
                self._partial = text
            case ["so_far", question, text, confidence, unended] if question in self._questions:
                if not (answer := self._questions[question]).done():
                    answer.set_result(Transcript(text, confidence, unended))
            case ["final", number, text, confidence] if number == self._final_of:
                if self._final is not None and not self._final.done():
                    self._final.set_result(Transcript(text, confidence))

    def _fail(self, error: Exception) -> None:
        """Whoever waits learns it now, an utterance under way at its end; between utterances nobody need know."""
        self._orders.clear()
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(error)
        if self._final is not None and not self._final.done():
            self._final.set_exception(error)
        elif self._model:
            self._failure = error
        logger.warning("recogniser failed: %s", error)


def _paths(files: ModelFiles) -> list[str]:
    return [str(files.model), str(files.dictionary)]
