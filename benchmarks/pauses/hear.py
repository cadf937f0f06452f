"""What the product's own ears make of the pause set, faster than real time: one trace an utterance.

As in a call: sound in packets of 20 ms, Silero over windows of 32 ms, `core.endpointing`'s thresholds, the recogniser
fed from PREROLL_MS before the onset, and asked what was said so far when the visitor falls silent. The engines are
the real ones; they run here without the event loop and the child process between, which add no information.
"""

import functools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import faster_whisper.utils
import numpy as np
import onnxruntime

from benchmarks.demo_specs import demo_spec
from benchmarks.pauses.make import Utterance
from pipeline.contracts.numbers import EAR_RATE_HZ, PACKET_MS, VAD_WINDOW_SAMPLES
from pipeline.core.endpointing import ENTER, LEAVE
from pipeline.core.ports import Pause
from pipeline.engines import language_model
from pipeline.engines.pocketsphinx_child import Decoders, Files, Recognition
from pipeline.engines.silero import CONTEXT_SAMPLES, MODEL_FILE, STATE_SIZE

WINDOW_MS: Final = VAD_WINDOW_SAMPLES / EAR_RATE_HZ * 1000
WINDOW_BYTES: Final = VAD_WINDOW_SAMPLES * 2
BYTES_PER_MS: Final = EAR_RATE_HZ * 2 // 1000
PREROLL_MS: Final = 300
MIN_SPEECH_MS: Final = 96
PAUSE_SOUND_S: Final = 8.0
SOFT_WINDOWS: Final = 3
"""So much silence (96 ms) makes a pause worth a look: shorter gaps lie inside words."""
SLUGS: Final = {"vet": "riverside-vet", "law": "harbor-law"}


@dataclass(frozen=True, slots=True)
class Look:
    """What was known when the visitor had just fallen silent."""

    window: int
    """The last silent window of those that made it a pause."""
    text: str
    unended: str
    asked_ms: float
    """What the recogniser computed to say it."""
    speech_ms: float


@dataclass(frozen=True, slots=True)
class Trace:
    utterance: Utterance
    probabilities: tuple[float, ...]
    """Speech, for each window."""
    looks: tuple[Look, ...]


def arrival_ms(window: int) -> float:
    """When a window is there: with the packet that completes it."""
    return -(-(window + 1) * WINDOW_MS // PACKET_MS) * PACKET_MS


def pause_at(trace: Trace, look: Look) -> Pause:
    """What a turn detector is asked."""
    end = int(arrival_ms(look.window)) * BYTES_PER_MS
    pcm = trace.utterance.pcm[max(0, end - int(PAUSE_SOUND_S * 1000) * BYTES_PER_MS) : end]
    return Pause(look.text, pcm, look.speech_ms, SOFT_WINDOWS * WINDOW_MS, look.unended)


def hear(utterances: list[Utterance]) -> list[Trace]:
    """Each voice and tenant is one session, in which the recogniser gets used to the voice."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(os.cpu_count()) as processes:
        files = {tenant: _files(tenant, Path(folder)) for tenant in {utterance.tenant for utterance in utterances}}
        ordered = sorted(utterances, key=_session)
        sessions = [list(group) for _, group in groupby(ordered, key=_session)]
        heard = processes.map(_hear_session, [files[session[0].tenant] for session in sessions], sessions)
        return [trace for traces in heard for trace in traces]


def _files(tenant: str, folder: Path) -> Files:
    built = language_model.build(demo_spec(SLUGS[tenant]), folder)
    return str(built.model), str(built.dictionary)


def _session(utterance: Utterance) -> tuple[str, str]:
    return utterance.voice, utterance.tenant


def _hear_session(files: Files, utterances: list[Utterance]) -> list[Trace]:
    ear = _Ear(files)
    return [ear.hear(utterance) for utterance in utterances]


class _Ear:
    def __init__(self, files: Files) -> None:
        self._files = list(files)
        self._answers: list[list[Any]] = []
        self._recognition = Recognition(Decoders(), lambda item: self._answers.append(item) or True)

    def hear(self, utterance: Utterance) -> Trace:
        probabilities = probabilities_of(utterance.pcm)
        fed, looks = 0, []
        for begin, window, speech_ms in pauses(probabilities):
            end = int(arrival_ms(window)) * BYTES_PER_MS
            start = fed or max(0, int((begin * WINDOW_MS - PREROLL_MS) * BYTES_PER_MS))
            self._tell(["pcm", 0, *self._files, utterance.pcm[start:end]])
            fed, asked = end, time.process_time()
            _, _, text, _, unended = self._tell(["so_far", 0])
            looks.append(Look(window, text, unended, (time.process_time() - asked) * 1000, speech_ms))
        self._tell(["finish", 0])
        return Trace(utterance, tuple(probabilities), tuple(looks))

    def _tell(self, item: list[Any]) -> list[Any]:
        self._answers.clear()
        for _ in self._recognition.receive(item) or ():
            pass
        return self._answers[-1] if self._answers else []


def pauses(probabilities: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """(first window of speech in the turn, the window that makes it a pause, ms of speech so far) for each pause."""
    begin, silent, speech = -1, 0, 0
    for window, probability in enumerate(probabilities):
        if begin < 0:
            speech = speech + 1 if probability >= ENTER else 0
            if speech * WINDOW_MS >= MIN_SPEECH_MS:
                begin = window - speech + 1
        elif probability >= LEAVE:
            speech, silent = speech + 1, 0
        else:
            silent += 1
            if silent == SOFT_WINDOWS:
                yield begin, window, speech * WINDOW_MS


def probabilities_of(pcm: bytes) -> list[float]:
    """Silero as the wheel has it: its first axis is the time of one speaker, so one call does for the whole."""
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    windows = sound[: len(sound) // VAD_WINDOW_SAMPLES * VAD_WINDOW_SAMPLES].reshape(-1, VAD_WINDOW_SAMPLES)
    before = np.vstack([np.zeros((1, CONTEXT_SAMPLES), np.float32), windows[:-1, -CONTEXT_SAMPLES:]])
    state = np.zeros((1, 1, STATE_SIZE), np.float32)
    answer = _silero().run(None, {"input": np.hstack([before, windows]), "h": state, "c": state})
    return [float(probability) for probability in np.ravel(answer[0])]


@functools.cache
def _silero() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = Path(faster_whisper.utils.get_assets_path(), MODEL_FILE)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
