"""Speech recognition by Whisper (CTranslate2, package faster-whisper): better than pocketsphinx, and needs weights.

Whisper reads whole utterances: sound is collected and read at `finish`. While somebody speaks, what is there so far is
read now and then for the captions, only when nobody else waits and reading is quick enough on this machine.
CTranslate2 lets go of the interpreter's lock, so threads suffice; they are the engine's own and few.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.contracts.dialogue import Transcript
from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.contracts.spec import AssistantSpec
from pipeline.core.threads import Threads
from pipeline.engines import weights

logger = logging.getLogger(__name__)

BYTES_PER_S: Final = EAR_RATE_HZ * 2
UTTERANCE_LIMIT_S: Final = 60
"""Longer utterances lose what comes after."""
PARTIAL_EVERY_S: Final = 1.0
WAITING_PER_WORKER: Final = 4
"""More utterances than that, the one that is read included: refused, they would come too late to be answered."""

Read = Callable[[bytes, str], Transcript]
"""PCM and a prompt to what was said. Blocking."""


class FasterWhisperAsr:
    """See `core.ports.Asr`."""

    name = "faster-whisper"

    def __init__(self, *, model: str = "base.en", models_dir: str | None = None, workers: int = 1) -> None:
        """`model`: a size, a hub name, or the path of a CTranslate2 model."""
        self._model = model
        self._models_dir = Path(models_dir) if models_dir else None
        self._workers = workers
        self._desk: Desk | None = None

    async def start(self) -> None:
        """Loads from disk only; never fetches. Raises EngineError."""
        folder = await asyncio.to_thread(weights.find, self._model, self._models_dir)
        if folder is None:
            raise EngineError("asr", f"the weights of '{self._model}' are not on disk, or not complete")
        desk = Desk(self._workers)
        try:
            await desk.load(folder)
        except EngineError:
            await desk.close()
            raise
        self._desk = desk

    async def open(self, spec: AssistantSpec) -> "WhisperHearing":
        if self._desk is None:
            raise EngineError("asr", "faster-whisper has not been started")
        return WhisperHearing(self._desk, f"{spec.assistant_name} at {spec.tenant_name}.", spec.tenant_id)

    async def close(self) -> None:
        if self._desk is not None:
            await self._desk.close()


class Desk:
    """Where utterances are read: a few threads and a short queue."""

    def __init__(self, workers: int, read: Read | None = None) -> None:
        self._threads = Threads("asr", "whisper", workers=workers, most=workers * WAITING_PER_WORKER)
        self._workers = workers
        self._read = read
        self.last_s = 0.0
        """How long the last reading took."""

    async def load(self, folder: Path) -> None:
        """Raises EngineError when the files are not a model after all (broken, another version)."""
        try:
            self._read = await self._threads.run(_load, folder, self._workers)
            await self.read(bytes(BYTES_PER_S // 2), "")
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError("asr", f"the Whisper model in {folder.name} cannot be loaded: {error}") from error

    @property
    def waiting(self) -> int:
        """Utterances that wait or are being read."""
        return self._threads.jobs

    async def read(self, pcm: bytes, prompt: str, owner: str = "") -> Transcript:
        """Fair to owners. Raises EngineError."""
        if self._read is None:
            raise EngineError("asr", "faster-whisper has not been started")
        began = time.monotonic()
        try:
            return await self._threads.run(self._read, pcm, prompt, owner=owner)
        except RuntimeError as error:
            raise EngineError("asr", f"Whisper failed: {error}") from error
        finally:
            self.last_s = time.monotonic() - began

    async def close(self) -> None:
        await self._threads.close()


class WhisperHearing:
    """One session's recogniser. See `core.ports.Hearing`."""

    def __init__(self, desk: Desk, prompt: str, owner: str = "") -> None:
        self._owner = owner
        self._desk = desk
        self._prompt = prompt
        self._sound = bytearray()
        self._looked_at = 0
        self._partial = ""
        self._look: asyncio.Task[None] | None = None
        self._reading: tuple[int, Transcript] | None = None
        """How much of the utterance was read last, in bytes, and what was read."""

    @property
    def partial(self) -> str:
        return self._partial

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm[: UTTERANCE_LIMIT_S * BYTES_PER_S - len(self._sound)]
        fresh_s = (len(self._sound) - self._looked_at) / BYTES_PER_S
        quick = self._desk.last_s < PARTIAL_EVERY_S / 2 and self._desk.waiting == 0
        if fresh_s >= PARTIAL_EVERY_S and quick and self._look is None:
            self._looked_at = len(self._sound)
            self._look = asyncio.create_task(self._look_at(bytes(self._sound)), name="whisper partial")

    async def so_far(self) -> Transcript:
        """A reading of what is there, as costly as a final; sound that has been read is not read again."""
        sound, there = self._sound, len(self._sound)
        if self._reading is None or self._reading[0] != there:
            heard = await self._desk.read(bytes(sound), self._prompt, self._owner) if sound else Transcript("", 0.0)
            if sound is not self._sound:  # the utterance ended meanwhile
                return heard
            self._reading = there, heard
        return self._reading[1]

    async def finish(self) -> Transcript:
        sound, reading = bytes(self._sound), self._reading
        await self._begin_anew()
        if reading is not None and reading[0] == len(sound):
            return reading[1]
        return await self._desk.read(sound, self._prompt, self._owner) if sound else Transcript("", 0.0)

    def discard(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._sound, self._looked_at, self._partial, self._reading = bytearray(), 0, "", None

    async def close(self) -> None:
        await self._begin_anew()

    async def _begin_anew(self) -> None:
        look = self._look
        self.discard()
        if look is not None:
            await asyncio.gather(look, return_exceptions=True)

    async def _look_at(self, sound: bytes) -> None:
        try:
            self._partial = (await self._desk.read(sound, self._prompt, self._owner)).text
        except EngineError as error:
            logger.info("no partial transcript: %s", error)
        self._look = None


def _load(folder: Path, workers: int) -> Read:
    import ctranslate2
    import tqdm
    from faster_whisper import WhisperModel

    tqdm.tqdm.monitor_interval = (
        0  # faster-whisper makes a (hidden) bar per utterance; nobody needs a thread watching it
    )
    graphics_card = ctranslate2.get_cuda_device_count() > 0
    model = WhisperModel(
        str(folder),
        device="cuda" if graphics_card else "cpu",
        compute_type="float16" if graphics_card else "int8",
        num_workers=workers,
        local_files_only=True,
    )
    return lambda pcm, prompt: _transcribe(model, pcm, prompt)


def _transcribe(model: Any, pcm: bytes, prompt: str) -> Transcript:
    """Greedy and without timestamps: the quickest way, and utterances are short."""
    sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    segments, _ = model.transcribe(
        sound,
        language="en",
        beam_size=1,
        temperature=0.0,
        without_timestamps=True,
        condition_on_previous_text=False,
        initial_prompt=prompt or None,
    )
    heard = list(segments)
    text = " ".join(segment.text.strip() for segment in heard).strip()
    if not text:
        return Transcript("", 0.0)
    return Transcript(text, math.exp(min(0.0, sum(s.avg_logprob for s in heard) / len(heard))))
