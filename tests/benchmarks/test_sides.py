"""Our sides of the benchmark run: the product's real session, and the floor, with a caller each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.inproc.sounds import load, make

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    make(folder)
    return folder


def run(module: str, sounds: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", module, "--sessions", "2", "--seconds", "12", "--sounds", str(sounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_speech_begins_and_ends_inside_its_recording(sounds: Path) -> None:
    voices = load(sounds)
    assert len(voices) == 2
    for utterance in (u for said in voices.values() for u in said):
        assert 0 < utterance.onset_ms < utterance.end_ms <= len(utterance.frames) * 20


@pytest.mark.parametrize("module", ["benchmarks.inproc.ours", "benchmarks.inproc.floor"])
def test_a_side_answers_its_callers(module: str, sounds: Path) -> None:
    figures = run(module, sounds)
    assert figures["turns"] > 0
    assert figures["overhead_ms"]["p50"] is not None
    assert figures["cpu_s_per_session_min"] > 0


def test_callers_over_webrtc_are_answered(sounds: Path) -> None:
    figures = run("benchmarks.webrtc.server", sounds)
    assert figures["turns"] > 0
    assert figures["ttfa_client_ms"]["p50"] is not None
    assert figures["uplink_ms"]["p50"] is not None
