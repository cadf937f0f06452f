"""Real Redis and PostgreSQL for tests: servers of our own on free ports of 127.0.0.1, in temporary folders."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

START_LIMIT_S = 30.0
RUNNING: set[int] = set()
"""Process ids of what outlives a test: stacks and their services, ended by those who started them."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, ready: Callable[[], bool], limit_s: float = START_LIMIT_S) -> None:
    """Until `ready()`; raises TimeoutError, in words."""
    deadline = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {limit_s:.0f} s")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Redis:
    """redis-server without persistence. `restart` forgets everything, as a real one without a disk does."""

    folder: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.port = self.port or free_port()
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        RUNNING.add(self.process.pid)
        wait_for("Redis listening", lambda: accepts(self.port))

    def stop(self) -> None:
        if self.process is not None:
            RUNNING.discard(self.process.pid)
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@dataclass
class Postgres:
    """A cluster of our own. `stop` is a database that is away; `start` brings it back with its data."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="goassist-postgres-")))
    port: int = 0
    running: bool = False

    @property
    def url(self) -> str:
        return f"postgresql://goassist@127.0.0.1:{self.port}/goassist"

    def start(self) -> None:
        self.port = self.port or free_port()
        cluster = self.folder / "cluster"
        if not cluster.exists():
            self._own(self.folder)
            self._run("initdb", "-D", str(cluster), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
            self._begin(cluster)
            asking = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
            # As docs/operations.md asks for: a role that owns its database and may not see past its policies.
            self._run("createuser", *asking, "--createdb", "goassist")
            self._run("createdb", *asking, "--owner", "goassist", "goassist")
            return
        self._begin(cluster)

    def _begin(self, cluster: Path) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", str(cluster), "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        self.running = True

    def stop(self) -> None:
        if self.running:
            self._run("pg_ctl", "-D", str(self.folder / "cluster"), "-w", "-m", "immediate", "stop")
            self.running = False

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _own(self, folder: Path) -> None:
        """PostgreSQL refuses to run as root: the folder then belongs to the user that the package made."""
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")

    def _run(self, program: str, *arguments: str) -> None:
        command = [_postgres_program(program), *arguments]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


def _postgres_program(name: str) -> str:
    """Debian keeps the server's programs out of PATH, by version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or name
