"""One measurement: the product in a process of its own, so many callers in another, for a while."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
READY = "GoAssist is ready"
START_LIMIT_S = 180.0
SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Product:
    """The product, running in embedded mode."""

    url: str
    process: psutil.Process
    key: str
    assistant: str


@contextlib.contextmanager
def product(seats: int) -> Iterator[Product]:
    """Starts it on a free port with a data folder of its own; ends it and removes the folder afterwards."""
    with tempfile.TemporaryDirectory(prefix="goassist-bench-") as data:
        port = _free_port()
        env = {**os.environ, "PORT": str(port), "GOASSIST_DATA": data, "GOASSIST_SEATS": str(seats)}
        log = Path(data) / "product.log"
        with log.open("wb") as out:
            process = subprocess.Popen([sys.executable, "manage.py", "runembedded"], cwd=ROOT, env=env, stdout=out,
                                       stderr=subprocess.STDOUT)  # fmt: skip
        try:
            _wait_ready(process, log)
            yield Product(f"http://127.0.0.1:{port}", psutil.Process(process.pid), *_demo(env))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def talk(running: Product, callers: int, minutes: float, duty: float) -> dict[str, Any]:
    """The soak report of this many callers, with the CPU and memory of the server's whole process tree in `tree`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "pipeline.soak", "--url", running.url, "--assistant", running.assistant,
            "--callers", str(callers), "--minutes", str(minutes), "--duty", str(duty), "--seed", "1",
            "--report", str(report),
        ]  # fmt: skip
        env = {**os.environ, "GOASSIST_SOAK_KEY": running.key}
        with Tree(running.process) as tree:
            subprocess.run(
                command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
        return {**json.loads(report.read_text()), "callers": callers, "tree": tree.spent(callers)}


class Tree:
    """CPU and memory of a process and all its children, sampled in a thread: engines are processes of their own."""

    def __init__(self, root: psutil.Process) -> None:
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tree")
        self._cpu_s: dict[int, tuple[float, float]] = {}
        self._peak_mb = 0.0

    def __enter__(self) -> "Tree":
        self._began_s = time.monotonic()
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._sample()
        self._seconds = time.monotonic() - self._began_s

    def spent(self, sessions: int) -> dict[str, float]:
        cpu_s = sum(last - first for first, last in self._cpu_s.values())
        return {
            "cpu_s_per_session_minute": round(cpu_s / sessions / (self._seconds / 60), 2),
            "cpu_percent": round(cpu_s / self._seconds * 100, 1),
            "peak_memory_mb": round(self._peak_mb, 1),
        }

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self._sample()

    def _sample(self) -> None:
        memory = 0.0
        for process in [self._root, *self._root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                now_s = times.user + times.system
                self._cpu_s[process.pid] = (self._cpu_s.get(process.pid, (now_s, 0.0))[0], now_s)
                memory += process.memory_info().rss / 1e6
        self._peak_mb = max(self._peak_mb, memory)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while READY not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"The product did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.2)


def _demo(env: dict[str, str]) -> tuple[str, str]:
    """(secret key, assistant id) of the first demo tenant."""
    command = [sys.executable, "manage.py", "seed_demo", "--json"]
    printed = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True).stdout
    tenant = json.loads(printed)["tenants"][0]
    return tenant["secret_key"], tenant["assistants"][0]["id"]
