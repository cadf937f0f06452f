"""`/healthz`, `/readyz` and `/metrics` of a worker process: the standard library's WSGI server in a thread.

A thread, so that it answers (with 503) also when the event loop stands still. Alive means that the loop turns; ready,
that the engines are loaded and offers are taken. Neither depends on Redis: who ties liveness to it goes down with it.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from pipeline.contracts.wire import Report
from pipeline.worker.settings import WorkerSettings
from pipeline.worker.watchdog import Watchdog

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Watched(Protocol):
    """What is looked at: the host of this process."""

    settings: WorkerSettings
    watchdog: Watchdog
    ready: asyncio.Event

    def report(self) -> Report: ...


class _QuietHandler(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:
        """Probes every few seconds are not news."""


class HealthServer:
    """`run` until cancelled. Raises OSError when the port is taken."""

    def __init__(self, host: Watched) -> None:
        self._host = host
        self._metrics = make_wsgi_app()

    async def run(self) -> None:
        settings = self._host.settings
        server: WSGIServer = make_server(
            settings.http_bind, settings.http_port, self._answer, handler_class=_QuietHandler
        )
        thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return self._metrics(environ, start_response)
        checks = {
            "/healthz": {"loop": self._host.watchdog.alive},
            "/readyz": {"loop": self._host.watchdog.alive, "engines": self._host.ready.is_set()},
        }.get(path)
        if checks is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is /healthz, /readyz and /metrics here.\n"]
        healthy = all(checks.values())
        start_response("200 OK" if healthy else "503 Service Unavailable", [("Content-Type", "application/json")])
        now = self._host.report()
        body = {
            "status": "ok" if healthy else "failing",
            "checks": checks,
            "sessions": now.sessions,
            "level": now.level,
            "why": now.why,
            "admits": now.admits,
        }
        return [json.dumps(body).encode()]
