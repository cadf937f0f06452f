"""`make run-distributed`: web, workers, Celery worker and beat as processes of their own, to try the production shape.

Against the PostgreSQL and Redis that DATABASE_URL and REDIS_URL name. One process ends: all end. Ctrl-C ends all.
In production each of these lines is a service of its own (README, "Production").
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

WORKERS = int(os.environ.get("WORKERS", "2"))
GRACE_S = 45.0
"""Workers drain this long at most (GOASSIST_DRAIN_S is 30, their supervisor waits 10 more) before all are killed."""


def commands() -> dict[str, list[str]]:
    python, manage = sys.executable, "manage.py"
    celery = [python, "-m", "celery", "-A", "goassist_site"]
    first_port = os.environ.get("WORKER_HTTP_PORT") or "9101"
    return {
        "web": [python, manage, "runweb"],
        "workers": [python, manage, "runpipeline", "--processes", str(WORKERS), "--http-port", first_port],
        "celery worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"],
        "celery beat": [*celery, "beat", "--schedule", str(Path(os.environ["GOASSIST_DATA"]) / "celerybeat")],
    }


def main() -> int:
    os.environ["GOASSIST_MODE"] = "distributed"
    os.environ.setdefault("GOASSIST_DATA", "./var")
    for name in ("DATABASE_URL", "REDIS_URL"):
        if not os.environ.get(name):
            print(f"{name} is not set: which server to use. docs/configuration.md shows the form.", file=sys.stderr)
            return 2
    print("Bringing the database up to date ...", flush=True)
    migrated = subprocess.run([sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"])
    if migrated.returncode != 0:
        return migrated.returncode
    return supervise({name: subprocess.Popen(command) for name, command in commands().items()})


def supervise(processes: dict[str, "subprocess.Popen[bytes]"]) -> int:
    """Until one ends or we are told to; then all are asked to end, and in the end made to."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    for name, process in processes.items():
        print(f"{name}: process {process.pid}", flush=True)
    while not asked and all(p.poll() is None for p in processes.values()):
        time.sleep(0.2)
    ended = [name for name, p in processes.items() if p.poll() is not None]
    if ended:
        print(f"{', '.join(ended)} ended; the others follow", file=sys.stderr, flush=True)
    for process in processes.values():
        process.terminate()
    deadline = time.monotonic() + GRACE_S
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 1 if ended else 0


if __name__ == "__main__":
    sys.exit(main())
