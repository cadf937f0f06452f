"""A child of the tests: says back what it hears, counts, fails and dies on demand."""

import os
from collections.abc import Iterator
from typing import Any

from pipeline.engines.child_stream import Opener, Send

_steps = 0
"""Of work, in this process, of all streams."""


class Echo:
    def __init__(self, prefix: str, request: Any, send: Send) -> None:
        if request == "refuse":
            raise ValueError("refused")
        self._prefix = prefix
        self._send = send

    def receive(self, item: Any) -> Iterator[None] | None:
        match item:
            case ["count", limit]:
                return self._count(limit)
            case ["work", steps]:
                return self._work(steps)
            case ["burst", n]:
                self._send(["sent", [self._send(i) for i in range(n)].count(True)])
            case "fail":
                raise ValueError("as asked")
            case "die":
                os._exit(3)
            case "print":
                print("a line on stdout")
                self._send("printed")
            case "environment":
                self._send(dict(os.environ))
            case "until aborted":
                while self._send("x" * 1000):
                    pass
            case _:
                self._send([self._prefix, item])
        return None

    def _count(self, limit: int) -> Iterator[None]:
        for i in range(limit):
            self._send(i)
            yield

    def _work(self, steps: int) -> Iterator[None]:
        """Answers with how many steps of all streams its own ones took."""
        global _steps
        began = _steps
        for _ in range(steps):
            _steps += 1
            yield
        self._send(_steps - began)

    def close(self) -> None:
        pass


def serve(options: dict[str, Any]) -> Opener:
    if options.get("broken"):
        raise RuntimeError("cannot serve")
    return lambda request, send: Echo(options.get("prefix", ""), request, send)
