"""A worker process for the supervisor's tests: writes its number and pid down, then waits to be told to end.

`python -m tests.fakes.post FOLDER NUMBER MODE`. Modes: `obey`; `ignore` SIGTERM; `die` at once; `alone`: like a worker
whose loop stands still, it only has its lifeline.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from pipeline.worker.supervisor import Lifeline, restarts


def main(folder: Path, number: str, mode: str) -> None:
    told = threading.Event()
    if mode == "obey":
        signal.signal(signal.SIGTERM, lambda *_: told.set())
        Lifeline(told.set, 5.0, os.environ)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Lifeline(lambda: None, 0.1, os.environ)
    (folder / f"{number}-{os.getpid()}-{restarts(os.environ)}").touch()
    if mode != "die":
        told.wait()
    sys.exit(3 if mode == "die" else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
