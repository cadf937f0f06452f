"""The whole product as processes, as an operator runs it: embedded in one, or distributed with Redis and PostgreSQL."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services import RUNNING, Postgres, Redis, accepts, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 90.0
STOP_LIMIT_S = 25.0


@dataclass
class Process:
    """One process of the product, with its log kept for the day it fails."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    popen: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(self.command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        RUNNING.add(self.popen.pid)

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    def kill(self) -> None:
        """kill -9: no chance to say goodbye."""
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait(10)
        RUNNING.discard(self.popen.pid)

    def stop(self) -> None:
        if not self.alive or self.popen is None:
            return
        RUNNING.discard(self.popen.pid)
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(10)
            raise AssertionError(f"{self.name} did not end on SIGTERM; its log is {self.log}") from None

    def logged(self, text: str) -> bool:
        return self.log.exists() and text in self.log.read_text(errors="replace")


@dataclass
class Stack:
    """`seed`: what `seed_demo --json` printed."""

    mode: str
    folder: Path
    port: int
    env: dict[str, str]
    processes: list[Process] = field(default_factory=list)
    redis: Redis | None = None
    postgres: Postgres | None = None
    seed: dict[str, Any] = field(default_factory=dict)
    hired: int = 0
    """Workers started so far: each has a name, and a log, of its own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tenant(self, slug: str) -> dict[str, Any]:
        return next(t for t in self.seed["tenants"] if t["slug"] == slug)

    def page(self, slug: str) -> str:
        return f"{self.url}/t/{slug}/reception/"

    @property
    def workers(self) -> list[Process]:
        return [p for p in self.processes if p.name.startswith("worker")]

    def process(self, name: str) -> Process:
        return next(p for p in self.processes if p.name == name)

    def add(self, name: str, *arguments: str) -> Process:
        process = Process(name, [sys.executable, *arguments], self.env, self.folder / f"{name.replace(' ', '-')}.log")
        self.processes.append(process)
        process.start()
        return process

    def add_worker(self, *, seats: int = 4) -> Process:
        self.hired += 1
        number = self.hired
        http_port = free_port()
        worker = self.add(
            f"worker {number}", "manage.py", "runpipeline", "--seats", str(seats), "--http-port", str(http_port)
        )
        wait_for(f"worker {number} being ready", lambda: _answers(f"http://127.0.0.1:{http_port}/readyz", worker))
        return worker

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def api(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """One API call: (status, JSON)."""
        request = urllib.request.Request(f"{self.url}/api/v1{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=20) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def turns(self, slug: str, session_id: str) -> list[dict[str, Any]]:
        status, answer = self.api(
            "GET", f"/sessions/{session_id}/turns?limit=100", token=self.tenant(slug)["secret_key"]
        )
        assert status == 200, answer
        return list(answer["data"])

    def stop(self) -> None:
        """Everything, in the reverse order; the first failure is raised when all are down."""
        with contextlib.ExitStack() as stack:
            if self.redis is not None:
                stack.callback(self.redis.stop)
            if self.postgres is not None:
                stack.callback(self.postgres.remove)
            for process in self.processes:
                stack.callback(process.stop)


def _answers(url: str, process: Process) -> bool:
    if not process.alive:
        raise RuntimeError(f"{process.name} ended at once:\n{process.log.read_text(errors='replace')[-3000:]}")
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {
        **kept,
        "PORT": str(port),
        "GOASSIST_DATA": str(folder / "data"),
        "ASR": "pocketsphinx",
        "GOASSIST_SESSIONS_PER_MINUTE": "1000",
        "GOASSIST_OFFERS_PER_MINUTE": "1000",
        "GOASSIST_CHATS_PER_MINUTE": "1000",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextlib.contextmanager
def embedded(folder: Path, **env: str) -> Iterator[Stack]:
    """`make run`: one process."""
    port = free_port()
    stack = Stack("embedded", folder, port, _environment(folder, port, **env))
    try:
        process = stack.add("embedded", "manage.py", "runembedded")
        wait_for(
            "the embedded product being ready",
            lambda: _answers(f"{stack.url}/readyz", process) and process.logged("GoAssist is ready"),
            START_LIMIT_S,
        )
        stack.seed = json.loads(stack.manage("seed_demo", "--json"))
        yield stack
    finally:
        stack.stop()


@contextlib.contextmanager
def distributed(folder: Path, *, workers: int = 2, seats: int = 4, celery: bool = False, **env: str) -> Iterator[Stack]:
    """Web, workers and (if asked) Celery as processes of their own."""
    port = free_port()
    redis, postgres = Redis(folder), Postgres()
    stack = Stack("distributed", folder, port, {}, redis=redis, postgres=postgres)
    try:
        redis.start()
        postgres.start()
        stack.env = _environment(
            folder,
            port,
            GOASSIST_MODE="distributed",
            GOASSIST_SECRET_KEY=secrets.token_urlsafe(48),
            GOASSIST_ALLOWED_HOSTS="127.0.0.1,localhost",
            GOASSIST_ORIGINS=f"http://127.0.0.1:{port}",
            DATABASE_URL=postgres.url,
            REDIS_URL=redis.url,
            **env,
        )
        stack.manage("migrate", "--no-input", "-v", "0")
        stack.seed = json.loads(stack.manage("seed_demo", "--json"))
        web = stack.add("web", "manage.py", "runweb")
        if celery:
            stack.add("celery", "-m", "celery", "-A", "goassist_site", "worker", "--concurrency", "1", "-B",
                      "-s", str(folder / "beat"))  # fmt: skip
        for _ in range(workers):
            stack.add_worker(seats=seats)
        wait_for("the web process being ready", lambda: _answers(f"{stack.url}/readyz", web), START_LIMIT_S)
        yield stack
    finally:
        stack.stop()


__all__ = ["Stack", "accepts", "distributed", "embedded"]
