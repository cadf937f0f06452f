"""A real OpenAI-compatible server for tests: `transformers serve` with a tiny random-weights model.

Its libraries (torch) are far too heavy for the base install: they go into `.venv-llm`, once, from pinned
requirements/llm-test.txt. Model and environment are kept; `python -m tests.llm_server` makes both beforehand.
"""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-llm"
REQUIREMENTS = ROOT / "requirements" / "llm-test.txt"
MODEL_SCRIPT = ROOT / "tests" / "llm_model.py"
SET_UP_LIMIT_S = 600.0
"""For a test's time limit: the first one may have to install everything."""
READY_LIMIT_S = 120.0
END_LIMIT_S = 10.0


@dataclass(frozen=True)
class LanguageServer:
    base_url: str
    model: str
    log: Path

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def running_server(folder: Path) -> Iterator[LanguageServer]:
    """Starts the server on a free port of 127.0.0.1, waits until it answers, ends it. `folder`: its log and cache."""
    model, port, log = prepare(), free_port(), folder / "server.log"
    (folder / "hub").mkdir(exist_ok=True)
    # It lists its models from this cache folder, and fails where there is none.
    quiet = {**os.environ, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [ENVIRONMENT / "bin/transformers", "serve", model, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--device", "cpu"], stdout=out, stderr=subprocess.STDOUT, env=quiet)
    try:
        _wait_until_ready(process, port, log)
        yield LanguageServer(f"http://127.0.0.1:{port}/v1", str(model), log)
    finally:
        _end(process)


def prepare() -> Path:
    """Makes environment and model where they are missing; returns the model's folder. Says what takes long."""
    lock_path = ROOT / ".venv-llm.lock"
    with lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make_environment()
        return _make_model()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _make_environment() -> None:
    stamp, wanted = ENVIRONMENT / "made-from", _digest(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("installing torch and transformers for the language server tests, once, one to two minutes ...")
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    pip = [ENVIRONMENT / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", REQUIREMENTS], check=True, stderr=None, stdout=sys.__stderr__)
    stamp.write_text(wanted)


def _make_model() -> Path:
    folder = ENVIRONMENT / f"tiny-{_digest(MODEL_SCRIPT)[:12]}"
    if not (folder / "tokenizer.json").exists():
        say("making a tiny language model ...")
        subprocess.run([ENVIRONMENT / "bin/python", MODEL_SCRIPT, folder], check=True, capture_output=True)
    return folder


def _wait_until_ready(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the language server ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"the language server was not ready after {READY_LIMIT_S} s: {log.read_text()[-2000:]}")


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text: str) -> None:
    """To the terminal itself: pytest captures the rest."""
    sys.__stderr__.write(f"\n{text}\n")
    sys.__stderr__.flush()


if __name__ == "__main__":
    prepare()
