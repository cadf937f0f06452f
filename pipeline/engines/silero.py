"""Voice activity by Silero VAD v6, whose ONNX file lies in the faster-whisper wheel.

A window is 512 samples; the model also wants the 64 samples before it and the LSTM's state, both of which each session
keeps. Windows of several sessions that arrive in the same turn of the event loop are run in one call: the
cost of a call is mostly its own. It runs on the loop: tens of microseconds, less than a hop to a thread and back.

The wheel's graph reads its first axis as time of one speaker. Two changes of equal length in the file's bytes make it
an axis of speakers: the axis order before the LSTM, and the size 1 of its states. Tests compare with the original.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

import faster_whisper.utils
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import VAD_WINDOW_SAMPLES

CONTEXT_SAMPLES: Final = 64
STATE_SIZE: Final = 128
MODEL_FILE: Final = "silero_vad_v6.onnx"

# Protocol buffers (onnx.proto): an attribute's `ints` is field 8; a shape's `dim` 1, its `dim_value` 1, `dim_param` 2.
_AXES_OF_TIME: Final = bytes.fromhex("400040024001")
_AXES_OF_SPEAKERS: Final = bytes.fromhex("400240004001")
_STATE_OF_ONE: Final = bytes.fromhex("0a0208010a0208010a03088001")
_STATE_OF_ANY: Final = bytes.fromhex("0a0208010a0212000a03088001")

Floats = NDArray[np.float32]


class SileroVad:
    """See `core.ports.Vad`."""

    name = "silero"

    def __init__(self) -> None:
        self._session: Any = None
        self._waiting: list[tuple[SileroStream, Floats, asyncio.Future[float]]] = []

    async def start(self) -> None:
        """Raises EngineError when the wheel's model is missing or not the one that is known."""
        self._session = await asyncio.to_thread(_load, Path(faster_whisper.utils.get_assets_path(), MODEL_FILE))

    async def close(self) -> None:
        self._session = None

    def open(self) -> "SileroStream":
        return SileroStream(self)

    def ask(self, stream: "SileroStream", window: Floats) -> "asyncio.Future[float]":
        """The answer comes at the end of this turn of the loop, with those of all others that ask in it."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer)
        future = loop.create_future()
        self._waiting.append((stream, window, future))
        return future

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            probabilities = self._run([stream for stream, _, _ in waiting], [window for _, window, _ in waiting])
        except EngineError as error:
            for _, _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, _, future), probability in zip(waiting, probabilities, strict=True):
            if not future.done():
                future.set_result(probability)

    def _run(self, streams: "list[SileroStream]", windows: list[Floats]) -> list[float]:
        """One call for all; moves each stream's state on."""
        if self._session is None:
            raise EngineError("vad", "Silero has not been started")
        sound = np.stack([np.concatenate((s.context, w)) for s, w in zip(streams, windows, strict=True)])
        states = {"h": np.concatenate([s.h for s in streams], 1), "c": np.concatenate([s.c for s in streams], 1)}
        try:
            probabilities, h, c = self._session.run(None, {"input": sound, **states})
        except Exception as error:  # onnxruntime's errors have no common parent
            raise EngineError("vad", f"Silero failed: {error}") from error
        for at, stream in enumerate(streams):
            stream.context = windows[at][-CONTEXT_SAMPLES:]
            stream.h, stream.c = h[:, at : at + 1], c[:, at : at + 1]
        return [float(p) for p in probabilities]


class SileroStream:
    """One session's voice activity state. See `core.ports.VadStream`. Asks for one window at a time."""

    def __init__(self, engine: SileroVad) -> None:
        self._engine = engine
        self.context: Floats = np.zeros(CONTEXT_SAMPLES, np.float32)
        self.h: Floats = np.zeros((1, 1, STATE_SIZE), np.float32)
        self.c: Floats = np.zeros((1, 1, STATE_SIZE), np.float32)

    async def probability(self, window: bytes) -> float:
        """Raises EngineError; also for a window of another size."""
        samples = np.frombuffer(window, "<i2").astype(np.float32) / 32768 if len(window) % 2 == 0 else ()
        if len(samples) != VAD_WINDOW_SAMPLES:
            raise EngineError("vad", f"a window is {VAD_WINDOW_SAMPLES * 2} bytes, not {len(window)}")
        return await self._engine.ask(self, np.asarray(samples))

    def close(self) -> None:
        """Nothing is held outside this object."""


def _load(path: Path) -> Any:
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise EngineError("vad", f"Silero's model is not in the faster-whisper package: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(batched(graph), options, providers=["CPUExecutionProvider"])


def batched(graph: bytes) -> bytes:
    """The graph with an axis of speakers. Raises EngineError when it is not the graph we know."""
    if graph.count(_AXES_OF_TIME) != 1 or graph.count(_STATE_OF_ONE) != 5:
        raise EngineError("vad", f"{MODEL_FILE} of this faster-whisper has another form than the one we know")
    return graph.replace(_AXES_OF_TIME, _AXES_OF_SPEAKERS).replace(_STATE_OF_ONE, _STATE_OF_ANY)
