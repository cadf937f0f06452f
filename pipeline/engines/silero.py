"""Voice activity by Silero VAD v6, whose ONNX file lies in the faster-whisper wheel.

A window is 512 samples; the model also wants the 64 samples before it and the LSTM's state, both of which each session
keeps. Windows of several sessions are gathered for a tick of TICK_S and run in one call: the cost of a call is
mostly its own (67 µs alone, 28 µs a window in a batch of 25). It runs on the loop: a thread would cost more than that.

The wheel's graph reads its first axis as time of one speaker. Two changes of equal length in the file's bytes make it
an axis of speakers: the axis order before the LSTM, and the size 1 of its states. Tests compare with the original.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import faster_whisper.utils
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import VAD_WINDOW_SAMPLES

TICK_S: Final = 0.008
"""How long the first window waits for those of other sessions: a quarter of a window's own length."""
FEW_STREAMS: Final = 4
"""So few sessions gain nothing by waiting for one another."""
QUIET: Final = 100
"""Largest sample of a window in which nobody speaks: -50 dBFS. Browsers' gain control brings even soft speech far above
it, and their noise suppression a room below it."""
QUIET_WINDOWS: Final = 8
"""After so many quiet windows (256 ms) the model has let go of what was said, and need not look at more of them."""
CONTEXT_SAMPLES: Final = 64
STATE_SIZE: Final = 128
MODEL_FILE: Final = "silero_vad_v6.onnx"

# Protocol buffers (onnx.proto): an attribute's `ints` is field 8; a shape's `dim` 1, its `dim_value` 1, `dim_param` 2.
_AXES_OF_TIME: Final = bytes.fromhex("400040024001")
_AXES_OF_SPEAKERS: Final = bytes.fromhex("400240004001")
_STATE_OF_ONE: Final = bytes.fromhex("0a0208010a0208010a03088001")
_STATE_OF_ANY: Final = bytes.fromhex("0a0208010a0212000a03088001")

Floats = NDArray[np.float32]
Samples = NDArray[np.int16]


class SileroVad:
    """See `core.ports.Vad`. One instance for all sessions of a worker."""

    name = "silero"

    def __init__(self, *, quiet: int = QUIET) -> None:
        """`quiet`: the largest sample of a window that may be passed over unheard; 0: every window is looked at."""
        self._quiet = quiet
        self._session: Any = None
        self._streams: set[SileroStream] = set()
        self._waiting: list[tuple[SileroStream, bytes]] = []
        self._due = False

    async def start(self) -> None:
        """Raises EngineError when the wheel's model is missing or not the one that is known."""
        self._session = await asyncio.to_thread(_load, Path(faster_whisper.utils.get_assets_path(), MODEL_FILE))

    async def close(self) -> None:
        self._session = None

    def open(
        self, on_probability: Callable[[float], None], on_failure: Callable[[EngineError], None]
    ) -> "SileroStream":
        stream = SileroStream(self, on_probability, on_failure)
        self._streams.add(stream)
        return stream

    def leave(self, stream: "SileroStream") -> None:
        self._streams.discard(stream)

    def submit(self, stream: "SileroStream", window: bytes) -> None:
        """Answered with those of all others that come until the tick's end; at once when there are few sessions."""
        self._waiting.append((stream, window))
        if self._due:
            return
        self._due = True
        loop = asyncio.get_running_loop()
        if len(self._streams) <= FEW_STREAMS:
            loop.call_soon(self._tick)
        else:
            loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        """Windows of the same stream are answered one after the other: each needs the state the last one left."""
        self._due = False
        waiting, self._waiting = self._waiting, []
        while waiting:
            now: dict[SileroStream, bytes] = {}
            later = []
            for stream, window in waiting:
                if stream in now:
                    later.append((stream, window))
                else:
                    now[stream] = window
            self._answer(list(now), list(now.values()))
            waiting = later

    def _answer(self, streams: "list[SileroStream]", windows: list[bytes]) -> None:
        fresh = np.frombuffer(b"".join(windows), "<i2").reshape(len(windows), VAD_WINDOW_SAMPLES)
        loud = self._listens(streams, fresh)
        asked = [at for at, listens in enumerate(loud) if listens]
        try:
            heard = self._run([streams[at] for at in asked], fresh[asked]) if asked else []
        except EngineError as error:
            for stream in streams:
                stream.failed(error)
            return
        probabilities = iter(heard)
        for stream, listens in zip(streams, loud, strict=True):
            stream.answered(next(probabilities) if listens else 0.0)

    def _listens(self, streams: "list[SileroStream]", fresh: Samples) -> list[bool]:
        """Which windows are worth the model's time: all but those of a quiet that has lasted."""
        for stream, loudest in zip(streams, np.abs(fresh.astype(np.int32)).max(axis=1).tolist(), strict=True):
            stream.quiet_windows = stream.quiet_windows + 1 if loudest < self._quiet else 0
        return [stream.quiet_windows <= QUIET_WINDOWS for stream in streams]

    def _run(self, streams: "list[SileroStream]", fresh: Samples) -> list[float]:
        """One call for all; moves each stream's state on. `fresh`: a window of 512 samples for each."""
        if self._session is None:
            raise EngineError("vad", "Silero has not been started")
        sound = np.empty((len(fresh), CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES), np.float32)
        np.multiply(fresh, 1 / 32768, out=sound[:, CONTEXT_SAMPLES:], casting="unsafe")
        state = np.empty((2, 1, len(fresh), STATE_SIZE), np.float32)
        for at, stream in enumerate(streams):
            sound[at, :CONTEXT_SAMPLES] = stream.context
            state[:, 0, at] = stream.state
        try:
            probabilities, h, c = self._session.run(None, {"input": sound, "h": state[0], "c": state[1]})
        except Exception as error:  # onnxruntime's errors have no common parent
            raise EngineError("vad", f"Silero failed: {error}") from error
        for at, stream in enumerate(streams):
            stream.context[:] = sound[at, -CONTEXT_SAMPLES:]
            stream.state[0], stream.state[1] = h[0, at], c[0, at]
        answers: list[float] = probabilities.reshape(-1).tolist()
        return answers


class SileroStream:
    """One session's voice activity state. See `core.ports.VadStream`."""

    def __init__(
        self,
        engine: SileroVad,
        on_probability: Callable[[float], None],
        on_failure: Callable[[EngineError], None],
    ) -> None:
        self._engine = engine
        self._on_probability = on_probability
        self._on_failure = on_failure
        self._closed = False
        self.context: Floats = np.zeros(CONTEXT_SAMPLES, np.float32)
        self.state: Floats = np.zeros((2, STATE_SIZE), np.float32)
        """h and c of the model's LSTM."""
        self.quiet_windows = 0
        """How many windows in a row were quiet."""

    def feed(self, window: bytes) -> None:
        if len(window) != VAD_WINDOW_SAMPLES * 2:
            self.failed(EngineError("vad", f"a window is {VAD_WINDOW_SAMPLES * 2} bytes, not {len(window)}"))
        elif not self._closed:
            self._engine.submit(self, window)

    def close(self) -> None:
        self._closed = True
        self._engine.leave(self)

    def answered(self, probability: float) -> None:
        if not self._closed:
            self._on_probability(probability)

    def failed(self, error: EngineError) -> None:
        if not self._closed:
            self.close()
            self._on_failure(error)


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
