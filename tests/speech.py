"""Spoken test material: flite says a sentence, sox gives it the rate we need. Cached in the temp folder.

Debian's `flite` and `sox` must be installed (`.ci/run` and `make setup` do that).
"""

import hashlib
import os
import subprocess
import tempfile
import wave
from pathlib import Path

FLITE_VOICES = ("slt", "rms", "kal", "awb")
"""slt: woman, US; rms: man, US; awb: man, Scottish; kal: man, an old 8 kHz diphone voice."""


def spoken_file(text: str, voice: str = "slt", rate_hz: int = 16_000, lead_s: float = 0.2, tail_s: float = 0.2) -> Path:
    """A mono s16 wav of `text`, with silence before and after. Chromium's fake microphone wants 48 kHz."""
    name = hashlib.sha256(repr((text, voice, rate_hz, lead_s, tail_s)).encode()).hexdigest()[:24]
    path = _cache_dir() / f"{name}.wav"
    if not path.exists():
        _synthesise(text, voice, rate_hz, lead_s, tail_s, path)
    return path


def spoken(text: str, voice: str = "slt", rate_hz: int = 16_000, lead_s: float = 0.2, tail_s: float = 0.2) -> bytes:
    """The same as PCM: mono s16le."""
    with wave.open(str(spoken_file(text, voice, rate_hz, lead_s, tail_s))) as sound:
        return sound.readframes(sound.getnframes())


def pieces(pcm: bytes, samples: int = 320) -> list[bytes]:
    """PCM cut into whole pieces of `samples` (320: 20 ms at 16 kHz); a shorter rest is left out."""
    size = samples * 2
    return [pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size)]


def _cache_dir() -> Path:
    folder = Path(tempfile.gettempdir()) / f"goassist-speech-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _synthesise(text: str, voice: str, rate_hz: int, lead_s: float, tail_s: float, path: Path) -> None:
    """Written beside and renamed, so that two test processes never read half a file."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        raw, done = Path(folder, "raw.wav"), Path(folder, "done.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(raw)], check=True, capture_output=True)
        shape = ["-r", str(rate_hz), "-c", "1", "-b", "16", str(done)]
        subprocess.run(
            ["sox", "-D", "-V1", str(raw), *shape, "pad", str(lead_s), str(tail_s)], check=True, capture_output=True
        )
        done.replace(path)
