"""What recording a call costs: `python -m benchmarks.recording [--minutes 5] [--calls 16] [--json]`.

So many calls' sound, speech by flite on either side in turns, goes through the worker's recorder as a call brings it (a
slice of half a second a call at a time), as quickly as it can. The figure is the CPU of the thread that encodes and
writes; beside it the same sound as raw PCM on the same disk.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from pipeline.contracts.recording import Recording
from pipeline.media.ogg import OggFile

TEXT = "I would like to bring my dog in on Thursday afternoon, if there is anything left. She has been limping."
SLICE_S = 0.5


def speech(rate_hz: int, folder: Path) -> bytes:
    """A sentence, then as much silence, mono s16le."""
    wav = folder / "line.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", TEXT, "-o", wav], check=True)
    raw = ["sox", wav, "-r", str(rate_hz), "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"]
    pcm = subprocess.run(raw, check=True, capture_output=True).stdout
    return pcm + bytes(len(pcm))


def slices(pcm: bytes, rate_hz: int, offset: int) -> list[bytes]:
    """Whole slices of the endless repetition, `offset` bytes into it."""
    size = int(rate_hz * SLICE_S) * 2
    twice = pcm[offset:] + pcm + pcm
    return [twice[at : at + size] for at in range(0, len(pcm) // size * size, size)]


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(minutes: float, calls: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        visitor = slices(speech(16_000, folder), 16_000, 0)
        voice = speech(24_000, folder)
        agent = slices(voice, 24_000, len(voice) // 4 * 2)
        files = [OggFile(folder / f"{Recording('ses', 'ten', 1, call, 0.0).name}.ogg") for call in range(calls)]
        rounds, began, used = round(minutes * 60 / SLICE_S), time.monotonic(), cpu_s()
        for turn in range(rounds):
            for file in files:
                file.write(visitor[turn % len(visitor)], agent[turn % len(agent)], 24_000)
        for file in files:
            file.close()
        spent, took = cpu_s() - used, time.monotonic() - began
        size = sum(path.stat().st_size for path in folder.glob("*.ogg"))
    session_minutes = minutes * calls
    return {
        "session_minutes": session_minutes,
        "cpu_s_per_session_min": round(spent / session_minutes, 4),
        "megabytes_per_hour": round(size / session_minutes * 60 / 1e6, 1),
        "raw_megabytes_per_hour": round((16_000 + 24_000) * 2 * 3600 / 1e6, 1),
        "times_real_time": round(session_minutes * 60 / took, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--calls", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    found = run(wanted.minutes, wanted.calls)
    print(json.dumps(found) if wanted.json else "\n".join(f"{name:26} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
