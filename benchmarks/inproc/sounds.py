"""What callers say: recordings made by flite at run time, with the true beginning and end of speech in each."""

import json
import subprocess
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

RATE_HZ = 16_000
FRAME_MS = 20
FRAME_BYTES = RATE_HZ * FRAME_MS // 1000 * 2
SILENCE = bytes(FRAME_BYTES)
AUDIBLE_RMS = 180.0
"""A 5 ms piece at or above this (about -45 dBFS) is audible."""
PIECE_SAMPLES = RATE_HZ * 5 // 1000
VOICES = ("slt", "rms")
LINES = (
    "What are your opening hours on Saturday",
    "How much does a first appointment cost",
    "Is there parking near your front door",
    "How do I cancel my appointment tomorrow",
    "Where can I find your office please",
)
BACKCHANNEL = "okay"


@dataclass(frozen=True, slots=True)
class Utterance:
    text: str
    frames: tuple[bytes, ...]
    """20 ms of 16 kHz mono s16le each."""
    onset_ms: float
    end_ms: float
    """Where the last audible piece ends."""


def make(folder: Path) -> None:
    """Has flite (Debian package) speak every line in every voice; 16 kHz files `VOICE-N.wav` and their index."""
    index = []
    for voice in VOICES:
        for number, text in enumerate((*LINES, BACKCHANNEL)):
            path = folder / f"{voice}-{number}.wav"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True, capture_output=True)
            index.append({"file": path.name, "text": text, "voice": voice})
    (folder / "index.json").write_text(json.dumps(index))


def load(folder: Path) -> dict[str, list[Utterance]]:
    """By voice; the last of each is the backchannel."""
    voices: dict[str, list[Utterance]] = {}
    for entry in json.loads((folder / "index.json").read_text()):
        voices.setdefault(entry["voice"], []).append(_utterance(folder / entry["file"], entry["text"]))
    return voices


def _utterance(path: Path, text: str) -> Utterance:
    with wave.open(str(path)) as sound:
        if sound.getframerate() != RATE_HZ or sound.getnchannels() != 1:
            raise ValueError(f"{path} is not 16 kHz mono")
        pcm = sound.readframes(sound.getnframes())
    audible = [at for at, level in enumerate(_levels(pcm)) if level >= AUDIBLE_RMS]
    onset_ms, end_ms = audible[0] * 5.0, (audible[-1] + 1) * 5.0
    pcm = pcm[: -(-int(end_ms) // FRAME_MS) * FRAME_BYTES]
    pcm += bytes(-len(pcm) % FRAME_BYTES)
    frames = tuple(pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES))
    return Utterance(text, frames, onset_ms, end_ms)


def _levels(pcm: bytes) -> list[float]:
    samples = array("h", pcm)
    pieces = (samples[at : at + PIECE_SAMPLES] for at in range(0, len(samples), PIECE_SAMPLES))
    return [(sum(s * s for s in piece) / len(piece)) ** 0.5 for piece in pieces]
