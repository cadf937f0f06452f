"""The peers' virtual environments, made when they are first wanted: packages as pinned in requirements/peer-*.txt."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.inproc.series import Side
from benchmarks.machine import ROOT

PEERS = ("pipecat", "livekit")


def peer(name: str) -> Side:
    """Raises CalledProcessError when the environment cannot be made."""
    folder, pins = ROOT / f".venv-{name}", ROOT / "requirements" / f"peer-{name}.txt"
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < pins.stat().st_mtime:
        _install(folder, pins)
        stamp.touch()
    return Side(name, f"benchmarks.peers.{name}_run", str(folder / "bin" / "python"))


def _install(folder: Path, pins: Path) -> None:
    script = ROOT / "scripts" / "install"
    env = {**os.environ, "PYTHON": getattr(sys, "_base_executable", sys.executable)}
    subprocess.run([str(script), str(folder), str(pins)], check=True, stdout=sys.stderr, env=env)
