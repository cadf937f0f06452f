"""Recordings as files: two sides, the right length, and playable when the writer was killed."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.contracts.errors import MediaError
from pipeline.media.ogg import OggFile, length_ms
from tests.speech import spoken


def tone(hz: float, seconds: float, rate_hz: int) -> bytes:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (8000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()


def sides(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """(2, samples) at 48 kHz."""
    with av.open(str(path)) as file:
        return np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)


def pitch_hz(side: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    spectrum = np.abs(np.fft.rfft(side))
    return float(np.argmax(spectrum)) * 48_000 / len(side)


@pytest.mark.parametrize("agent_hz", [16_000, 24_000])
def test_the_visitor_is_left_and_the_assistant_right(tmp_path: Path, agent_hz: int) -> None:
    path = tmp_path / "a.ogg"
    file = OggFile(path)
    left, right = tone(220, 3, 16_000), tone(440, 3, agent_hz)
    for piece in range(6):
        file.write(
            left[piece * 16_000 : (piece + 1) * 16_000],
            right[piece * agent_hz : (piece + 1) * agent_hz],
            agent_hz,
        )
    file.close()
    heard = sides(path)
    assert pitch_hz(heard[0]) == pytest.approx(220, abs=3)
    assert pitch_hz(heard[1]) == pytest.approx(440, abs=3)
    assert length_ms(path) == pytest.approx(3000, abs=60)
    assert path.read_bytes()[:4] == b"OggS"


def test_neither_is_heard_on_the_others_side(tmp_path: Path) -> None:
    """At 32 kbit/s Opus lets one side be heard faintly (-30 dB) on the other."""
    path = tmp_path / "a.ogg"
    file = OggFile(path)
    file.write(
        bytes(len(tone(220, 3, 16_000))), spoken("What are your opening hours?", rate_hz=24_000)[: 24_000 * 6], 24_000
    )
    file.close()
    visitor, assistant = sides(path)
    assert abs(assistant).max() > 0.1
    assert abs(visitor).max() < 0.001


KILLED = """
import os, sys
from pathlib import Path
from pipeline.media.ogg import OggFile
file = OggFile(Path(sys.argv[1]))
for _ in range(20):
    file.write(b"\\x10\\x20" * 8000, b"\\x30\\x10" * 12000, 24000)
os._exit(9)
"""


def test_a_file_whose_writer_was_killed_plays_but_for_its_last_moments(tmp_path: Path) -> None:
    path = tmp_path / "killed.ogg"
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == 9
    assert 7_500 <= length_ms(path) <= 10_000
    assert sides(path).shape[1] >= 7.5 * 48_000


@pytest.mark.parametrize("content", [b"", b"OggS", b"no sound at all" * 100])
def test_a_file_without_sound_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.ogg"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"empty\.ogg holds no sound"):
        length_ms(path)


def test_a_folder_that_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(av.FFmpegError, match="No such file"):
        OggFile(tmp_path / "nowhere" / "a.ogg").write(bytes(1280), bytes(1280), 16_000)
