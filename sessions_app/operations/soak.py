"""A soak run as a process of its own: started, listened to, stopped, its report kept."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import structlog
from celery.worker import state as celery_worker
from django.conf import settings

from sessions_app.operations import services
from sessions_app.operations.models import SoakRun

log = structlog.get_logger(__name__)

KEY_VARIABLE = "GOASSIST_SOAK_KEY"
"""As `pipeline.soak` reads it; a key on the command line could be read by every user of the machine."""
NOTE_EVERY_S = 1.0
STOP_LIMIT_S = 30.0
"""Asked to stop, the run says goodbye to its sessions and writes its report; after that it is killed."""
OVERTIME_S = 120.0
"""A run that goes on this long after its time hangs."""


def carry_out(run: SoakRun) -> None:
    """Blocks until the run has ended, one way or another. Runs in the scope of everyone."""
    folder = settings.DATA_DIR / "soak"
    folder.mkdir(parents=True, exist_ok=True)
    report, words = folder / f"{run.pk}.json", folder / f"{run.pk}.log"
    trouble = ""
    try:
        if run.assistant is None:
            trouble = "The assistant is gone."
        else:
            trouble = _call(run, services.give_key(run=run, tenant=run.assistant.tenant), report, words)
    finally:
        kept = _read(report)
        services.end_run(run=run, report=kept, trouble=trouble or ("" if kept else _last_words(words)))
        report.unlink(missing_ok=True)
        words.unlink(missing_ok=True)


def command(run: SoakRun, report: Path) -> list[str]:
    pages = [part for url in run.metrics_urls for part in ("--metrics-url", url)]
    return [
        sys.executable, "-m", "pipeline.soak", "--url", run.url, "--assistant", str(run.assistant_id),
        "--callers", str(run.callers), "--minutes", str(run.minutes), "--duty", str(run.duty),
        "--seed", str(run.seed), "--report", str(report), *pages,
    ]  # fmt: skip


def _call(run: SoakRun, key: str, report: Path, words: Path) -> str:
    """Returns what went wrong in words, or nothing."""
    with words.open("wb") as stderr, subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command(run, report), cwd=settings.BASE_DIR, env={**os.environ, KEY_VARIABLE: key},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
    ) as process:  # fmt: skip
        log.info("soak_run_started", run=str(run.pk), process=process.pid)
        try:
            return _follow(run, process)
        finally:
            if process.poll() is None:
                process.kill()


def _follow(run: SoakRun, process: "subprocess.Popen[bytes]") -> str:
    """Notes the progress once a second until the process ends. Returns what went wrong, or nothing."""
    assert process.stdout is not None
    lines = Lines(process.stdout)
    over_at = time.monotonic() + run.minutes * 60 + OVERTIME_S
    kill_at = float("inf")
    while lines.read(NOTE_EVERY_S):
        wanted = services.note_progress(run=run, progress=lines.progress, series=lines.take_series())
        if (not wanted or _closing()) and kill_at == float("inf"):
            process.send_signal(signal.SIGTERM)
            kill_at = time.monotonic() + STOP_LIMIT_S
        if time.monotonic() > min(kill_at, over_at):
            process.kill()
            return "The run did not end in time and was killed."
    process.wait(STOP_LIMIT_S)
    return ""


def _closing() -> bool:
    """The Celery worker that carries us is about to end (warm shutdown, or Ctrl-C in embedded mode)."""
    wishes = (celery_worker.should_stop, celery_worker.should_terminate)
    # Each is None, False or an exit code; 0 is one, and means "end well".
    return any(wish is not None and wish is not False for wish in wishes)


class Lines:
    """The NDJSON that the process prints: the latest progress, the latest series. Never waits longer than told."""

    def __init__(self, stdout: IO[bytes]) -> None:
        self._fd = stdout.fileno()
        self._rest = b""
        self._series: list[Any] | None = None
        self.progress: dict[str, Any] = {}

    def read(self, seconds: float) -> bool:
        """Takes in what comes within these seconds. False: the process has closed its output."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                continue
            piece = os.read(self._fd, 65536)
            if not piece:
                return False
            *whole, self._rest = (self._rest + piece).split(b"\n")
            for line in whole:
                self._take(line)
        return True

    def take_series(self) -> list[Any] | None:
        series, self._series = self._series, None
        return series

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if message.get("type") == "progress":
            self.progress = message
        elif message.get("type") == "series":
            self._series = message["points"]


def _read(report: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(report.read_text())
    except (OSError, ValueError):
        return None
    return found


def _last_words(words: Path) -> str:
    """What the process said on standard error, as far as it explains an end without a report."""
    try:
        lines = words.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("soak: ")[:500] if lines else ""
