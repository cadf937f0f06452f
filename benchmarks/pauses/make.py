"""The pause set's sound: seeded, made at run time by flite, kept in a cache folder; true onsets and ends are known.

A pause is silence put into speech: half of the sentences (by lot) are spoken whole and cut at the pause, so that the
first part sounds as if more were to come; the others are spoken in two parts, the first of which sounds like an end.
Edges are where the sound rises above and falls below EDGE_DB under the loudest 5 ms, before noise is added.
Pink noise lies SNR_DB below the speech throughout, so that silence is a room and no digital zero.
"""

import hashlib
import os
import random
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.pauses.sentences import REPORTED, TUNING
from pipeline.contracts.numbers import EAR_RATE_HZ

VOICES: Final = ("slt", "rms", "awb", "kal")
"""slt: woman, US; rms: man, US; awb: man, Scottish; kal: man, an old 8 kHz diphone voice."""
PAUSES_MS: Final = {"a": (0, 0), "b": (200, 700), "c": (300, 700)}
SEED: Final = 20261125
SNR_DB: Final = 30.0
EDGE_DB: Final = 40.0
LEVEL: Final = 0.06
"""Root mean square of the speech: -24 dB of full scale, as a headset gives."""
LEAD_MS: Final = 500
TAIL_MS: Final = 3800
"""Longer than any peer waits (3 s)."""
_FADE: Final = 48
"""Samples over which a cut is faded: 3 ms."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of a visitor. Times in ms from the first sample of `pcm` (16 kHz mono s16le)."""

    half: str
    kind: str
    voice: str
    tenant: str
    parts: tuple[str, ...]
    """The words, cut where the visitor falls silent."""
    pcm: bytes
    spans_ms: tuple[tuple[float, float], ...]
    """True onset and end of each part."""
    cut: bool
    """Spoken whole and cut; False: each part spoken by itself."""

    @property
    def text(self) -> str:
        return " ".join(self.parts)

    @property
    def end_ms(self) -> float:
        return self.spans_ms[-1][1]

    @property
    def pause_ms(self) -> float:
        return self.spans_ms[1][0] - self.spans_ms[0][1] if len(self.spans_ms) > 1 else 0.0


def utterances(half: str, *, quick: bool = False, kinds: str = "abc") -> list[Utterance]:
    """All of `tuning` (720) or `reported` (360); `quick`: every fourth sentence of each kind with each voice."""
    lines = [line for line in _lines(half, quick) if line[1] in kinds]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(lambda line: _make(half, *line), lines))


def _lines(half: str, quick: bool) -> Iterator[tuple[str, str, str]]:
    sentences = {"tuning": TUNING, "reported": REPORTED}[half]
    for voice in VOICES:
        for kind, lines in sentences.items():
            for line in lines[:: 4 if quick else 1]:
                yield voice, kind, line


def _make(half: str, voice: str, kind: str, line: str) -> Utterance:
    tenant, _, text = line.partition(": ")
    parts = tuple(part.strip() for part in text.split("|"))
    lot = random.Random(f"{SEED} {voice} {line}")
    cut = lot.random() < 0.5 and not any(part.endswith(".") for part in parts[:-1])
    pause_ms = lot.uniform(*PAUSES_MS[kind])
    sounds = _cut(parts, voice) if cut and len(parts) > 1 else [_trim(_spoken(part, voice)[0]) for part in parts]
    return _assemble((half, kind, voice, tenant, parts, cut), sounds, pause_ms, lot.getrandbits(32))


def _assemble(
    about: tuple[str, str, str, str, tuple[str, ...], bool], sounds: list[Floats], pause_ms: float, seed: int
) -> Utterance:
    half, kind, voice, tenant, parts, cut = about
    speech = np.concatenate(sounds)
    gain = LEVEL / max(float(np.sqrt(np.mean(speech**2))), 1e-6)
    pieces, spans, at = [_silence(LEAD_MS)], [], len(_silence(LEAD_MS))
    for number, sound in enumerate(sounds):
        if number:
            pieces.append(_silence(pause_ms))
            at += len(pieces[-1])
        pieces.append(sound * gain)
        spans.append((at / EAR_RATE_HZ * 1000, (at + len(sound)) / EAR_RATE_HZ * 1000))
        at += len(sound)
    whole = np.concatenate([*pieces, _silence(TAIL_MS)])
    whole = whole + _noise(len(whole), LEVEL * 10 ** (-SNR_DB / 20), seed)
    pcm = (np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes()
    return Utterance(half, kind, voice, tenant, parts, pcm, tuple(spans), cut)


def _cut(parts: tuple[str, ...], voice: str) -> list[Floats]:
    """The sentence spoken whole, in two: after as many phones as the first part has when it is spoken alone."""
    sound, phones = _spoken(" ".join(parts), voice)
    _, alone = _spoken(parts[0], voice)
    at = int(phones[min(len(alone), len(phones) - 1) - 1] * EAR_RATE_HZ)
    first, second = sound[:at].copy(), sound[at:].copy()
    first[-_FADE:] *= np.linspace(1, 0, _FADE, dtype=np.float32)
    second[:_FADE] *= np.linspace(0, 1, _FADE, dtype=np.float32)
    return [_trim(first), _trim(second)]


def _trim(sound: Floats) -> Floats:
    frame = EAR_RATE_HZ // 200
    level = np.sqrt(np.mean(sound[: len(sound) // frame * frame].reshape(-1, frame) ** 2, axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (-EDGE_DB / 20))
    return sound[loud[0] * frame : (loud[-1] + 1) * frame]


def _silence(ms: float) -> Floats:
    return np.zeros(int(ms * EAR_RATE_HZ / 1000), np.float32)


def _noise(samples: int, level: float, seed: int) -> Floats:
    """Pink: power falls with frequency, as in rooms."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[: int(50 * samples / EAR_RATE_HZ)] = 0
    noise = np.fft.irfft(spectrum, samples)
    return (noise * level / np.sqrt(np.mean(noise**2))).astype(np.float32)


def _spoken(text: str, voice: str) -> tuple[Floats, list[float]]:
    """Sound at 16 kHz, and the end of each phone in seconds, pauses left out."""
    path = _cache() / (hashlib.sha256(f"{voice} {text}".encode()).hexdigest()[:24] + ".npz")
    if not path.exists():
        _synthesise(text, voice, path)
    with np.load(path) as kept:
        return kept["sound"], list(kept["phones"])


def _synthesise(text: str, voice: str, path: Path) -> None:
    """Written beside and renamed, so that two runs at once never read half a file."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        spoken = Path(folder, "spoken.wav")
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(spoken)]
        segments = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        with wave.open(str(spoken)) as file:
            rate, raw = file.getframerate(), file.readframes(file.getnframes())
        ends = [float(end) for name, _, end in (s.rpartition(":") for s in segments) if name != "pau"]
        done = Path(folder, "done.npz")
        np.savez(done, sound=_at_ear_rate(np.frombuffer(raw, "<i2").astype(np.float32) / 32768, rate), phones=ends)
        done.replace(path)


def _at_ear_rate(sound: Floats, rate: int) -> Floats:
    """Band-limited, by the spectrum: 8 kHz (kal) or 16 kHz in, 16 kHz out."""
    if rate == EAR_RATE_HZ:
        return sound
    samples = len(sound) * EAR_RATE_HZ // rate
    return (np.fft.irfft(np.fft.rfft(sound), samples) * (samples / len(sound))).astype(np.float32)


def _cache() -> Path:
    folder = Path(os.environ.get("GOASSIST_DATA", tempfile.gettempdir())) / "pauses"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
