"""Worker processes, one a core, and who looks after them: `manage.py runpipeline --processes N`.

One that dies is started again, after a pause that grows while it dies at once. SIGTERM and SIGINT are handed on: every
worker drains; at the deadline those that are left are killed. A supervisor that is itself killed leaves no orphan: each
worker holds the other end of a pipe (`Lifeline`), and drains when that closes.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LIFELINE_ENV: Final = "GOASSIST_LIFELINE_FD"
RESTARTS_ENV: Final = "GOASSIST_WORKER_RESTARTS"
"""Between supervisor and worker, not settings: the pipe's file descriptor, and how often this worker was restarted."""
BACK_OFF_FIRST_S: Final = 0.5
BACK_OFF_MOST_S: Final = 30.0
SETTLED_S: Final = 60.0
"""A worker that lived so long did not die of its start: the next pause is short again."""
GRACE_S: Final = 10.0
"""Beyond the drain's own deadline: closing engines, handing over the journal."""
LOOK_EVERY_S: Final = 0.1

log = logging.getLogger(__name__)

Command = Callable[[int], Sequence[str]]
"""Number of a worker, from 0, to how it is started."""


def back_off_s(deaths: int) -> float:
    """Before the next start; `deaths`: in a row, each soon after its start."""
    return min(BACK_OFF_MOST_S, BACK_OFF_FIRST_S * 2.0 ** (max(1, deaths) - 1))


@dataclass
class Post:
    """One worker's place."""

    number: int
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restarts: int = 0
    deaths: int = 0
    """In a row, each soon after its start."""
    start_at: float = 0.0


class Supervisor:
    """`run` until told to end (`end`, or the signals). Returns 0, or 1 when a worker had to be killed."""

    def __init__(
        self,
        command: Command,
        count: int,
        *,
        drain_s: float,
        env: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._posts = [Post(number) for number in range(count)]
        self._limit_s = drain_s + GRACE_S
        self._env = dict(os.environ if env is None else env)
        self._now = now
        self._ending = threading.Event()
        self._lifeline = os.pipe()

    def end(self) -> None:
        """Safe to call from a signal handler and from other threads."""
        self._ending.set()

    def run(self) -> int:
        try:
            with _signals(self.end):
                while not self._ending.wait(LOOK_EVERY_S):
                    for post in self._posts:
                        self._look(post)
                return self._let_go()
        finally:
            for end in self._lifeline:
                os.close(end)

    @property
    def processes(self) -> "list[subprocess.Popen[bytes]]":
        return [post.process for post in self._posts if post.process is not None]

    def _look(self, post: Post) -> None:
        if post.process is None:
            if self._now() >= post.start_at:
                self._start(post)
        elif post.process.poll() is not None:
            self._died(post)

    def _start(self, post: Post) -> None:
        read_end = self._lifeline[0]
        env = {**self._env, LIFELINE_ENV: str(read_end), RESTARTS_ENV: str(post.restarts)}
        # A session of its own: Ctrl-C reaches the supervisor alone, which hands it on once.
        post.process = subprocess.Popen(  # noqa: S603 - the command is our own
            list(self._command(post.number)), env=env, pass_fds=(read_end,), start_new_session=True
        )
        post.started_at = self._now()
        log.info("worker %d: process %d", post.number, post.process.pid)

    def _died(self, post: Post) -> None:
        assert post.process is not None
        lived_s = self._now() - post.started_at
        post.deaths = 1 if lived_s >= SETTLED_S else post.deaths + 1
        post.restarts += 1
        wait_s = back_off_s(post.deaths)
        post.start_at = self._now() + wait_s
        log.error(
            "worker %d ended after %.0f s (%s); again in %.1f s",
            post.number, lived_s, _reason(post.process.returncode), wait_s,
        )  # fmt: skip
        post.process = None

    def _let_go(self) -> int:
        """All drain at once; who is left at the deadline is killed."""
        processes = self.processes
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._limit_s
        killed = 0
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d did not drain in time and is killed", process.pid)
                process.kill()
                process.wait()
                killed = 1
        return killed


class Lifeline:
    """The worker's end of the pipe. Told in a thread, so that a worker whose loop stands still goes as well."""

    def __init__(self, on_alone: Callable[[], object], limit_s: float, env: Mapping[str, str]) -> None:
        """`on_alone`: the supervisor is gone; called in the thread. `limit_s` later the process ends, come what may."""
        self._on_alone = on_alone
        self._limit_s = limit_s
        if fd := env.get(LIFELINE_ENV):
            threading.Thread(target=self._watch, args=(int(fd),), name="lifeline", daemon=True).start()

    def _watch(self, fd: int) -> None:
        while os.read(fd, 1):
            pass
        log.warning("the supervisor is gone; this worker drains")
        self._on_alone()
        time.sleep(self._limit_s)
        os._exit(1)


def restarts(env: Mapping[str, str]) -> int:
    """How often the supervisor has restarted this worker."""
    return int(env.get(RESTARTS_ENV, "0"))


def _reason(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"status {returncode}"


@contextlib.contextmanager
def _signals(end: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end, while this lasts; in the main thread only, as Python wants it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        end()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
