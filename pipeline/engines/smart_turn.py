"""End of turn from sound: Smart Turn v3 (pipecat-ai/smart-turn, BSD-2), an ONNX model of 8 MB over the last 8 seconds.

It knows no words and English best. Weights are a path, or fetched once from the Hugging Face hub into `models_dir`.
Runs in threads of its own, each decision with one onnxruntime thread; few may wait.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import huggingface_hub
import numpy as np
import onnxruntime

from pipeline.contracts.errors import EngineError
from pipeline.contracts.numbers import EAR_RATE_HZ
from pipeline.core.ports import Pause
from pipeline.engines.log_mel import Floats, log_mel, standardised

SOUND_S: Final = 8
HUB: Final = "pipecat-ai/smart-turn-v3"
HUB_FILE: Final = "smart-turn-v3.2-cpu.onnx"
WAITING_PER_WORKER: Final = 16
"""More decisions than that in the queue would come too late: refused."""


class SmartTurn:
    """See `core.ports.TurnDetector`."""

    name = "smart-turn"
    sound_s = float(SOUND_S)

    def __init__(self, *, model: str = "", models_dir: str | None = None, workers: int = 1) -> None:
        """`model`: the path of the ONNX file; empty: from `models_dir`, or the hub."""
        self._model = model
        self._models_dir = models_dir
        self._workers = workers
        self._threads: ThreadPoolExecutor | None = None
        self._session: Any = None
        self._waiting = 0

    async def start(self) -> None:
        """Raises EngineError: no weights, or not these."""
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="smart-turn")
        loop = asyncio.get_running_loop()
        try:
            self._session = await loop.run_in_executor(self._threads, load, self._model, self._models_dir)
            await self._run(bytes(EAR_RATE_HZ))
        except EngineError:
            await self.close()
            raise

    async def close(self) -> None:
        self._session, threads, self._threads = None, self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def completeness(self, pause: Pause) -> float:
        if self._waiting >= self._workers * WAITING_PER_WORKER:
            raise EngineError("turns", "too many decisions wait")
        return await self._run(pause.pcm)

    async def _run(self, pcm: bytes) -> float:
        if self._session is None or self._threads is None:
            raise EngineError("turns", "Smart Turn has not been started")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, probability, self._session, pcm)
        except EngineError:
            raise
        except Exception as error:  # onnxruntime's errors have no common parent
            raise EngineError("turns", f"Smart Turn failed: {error}") from error
        finally:
            self._waiting -= 1


def features(pcm: bytes) -> Floats:
    """(1, 80, 800): the last 8 s, silence before where there is less, standardised as a whole."""
    sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")[-SOUND_S * EAR_RATE_HZ :].astype(np.float32) / 32768
    whole = np.concatenate([np.zeros(SOUND_S * EAR_RATE_HZ - len(sound), np.float32), sound])
    return log_mel(standardised(whole))[None]


def probability(session: Any, pcm: bytes) -> float:
    """That the turn is complete. Blocking: some 10 ms."""
    answer = session.run(None, {"input_features": features(pcm)})[0]
    return float(np.clip(np.ravel(answer)[0], 0.0, 1.0))


def load(model: str, models_dir: str | None) -> Any:
    """Blocking. Raises EngineError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = Path(model) if model else _fetched(models_dir)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common parent
        raise EngineError("turns", f"{path} is not a model that can be loaded: {error}") from error
    if [entry.name for entry in session.get_inputs()] != ["input_features"]:
        raise EngineError("turns", f"{path} is not Smart Turn v3: its input has another name")
    return session


def _fetched(models_dir: str | None) -> Path:
    """From the folder or the hub's cache if it is there, else from the hub."""
    if models_dir and (kept := Path(models_dir) / HUB_FILE).is_file():
        return kept
    try:
        return Path(huggingface_hub.hf_hub_download(HUB, HUB_FILE, local_dir=models_dir))
    except Exception as error:  # the hub's, the network's and the disk's errors have no common parent
        raise EngineError(
            "turns", f"the weights of Smart Turn are not on disk and cannot be fetched: {error}"
        ) from error
