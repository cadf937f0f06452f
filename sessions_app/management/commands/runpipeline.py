"""A worker process: takes sessions from the channel layer, holds their media, writes their journal. Or several, one a
core, with a supervisor."""

import asyncio
import os
import re
import signal
import sys
from argparse import SUPPRESS
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from goassist_site.env import POOL_PATTERN
from goassist_site.secret_files import SettingsError
from pipeline.contracts.errors import EngineError
from pipeline.worker import metrics
from pipeline.worker.host import Host
from pipeline.worker.settings import default_name
from pipeline.worker.supervisor import GRACE_S, Lifeline, Supervisor, restarts
from sessions_app.management.composition import worker_host
from sessions_app.tenants import walls

POOL = re.compile(POOL_PATTERN)
PROCESSES_MOST = 256


class Command(BaseCommand):
    help = "Runs a pipeline worker. SIGTERM or Ctrl-C drains it: sessions move elsewhere, then it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        env = settings.GOASSIST
        parser.add_argument("--seats", type=int, default=env.goassist_seats, help="Sessions at a time, of each.")
        parser.add_argument("--pool", default=env.goassist_pool, help="Which offers to take.")
        parser.add_argument("--name", help="Unique among workers; default: host name and process id.")
        parser.add_argument(
            "--http-port", type=int, default=env.worker_http_port, help="/healthz, /readyz, /metrics; 0: none."
        )
        parser.add_argument("--audio-port", type=int, default=env.goassist_audio_port, help=SUPPRESS)
        parser.add_argument(
            "--processes",
            default="1",
            help="Workers to run, each a process with a name and (from --http-port up) a port of its own, started "
            "again when it dies; auto: one a core.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        processes = self._processes(options["processes"])
        if options["seats"] < 1:
            raise CommandError("--seats must be at least 1")
        if not 0 <= options["http_port"] <= 65536 - processes:
            raise CommandError("--http-port must be 0 to 65535, with room for a port of each process")
        if not POOL.fullmatch(options["pool"]):
            raise CommandError("--pool must be small letters, digits and hyphens")
        wanted = ("seats", "pool", "http_port", "audio_port", "name")
        changes = {name: options[name] for name in wanted if options[name] is not None}
        try:
            settings.GOASSIST.require_shared_layer("runpipeline")
            walls.ensure_closed(connection)
            if options["processes"] != "1":
                self._supervise(processes, changes)
            asyncio.run(self._run(changes))
        except (SettingsError, EngineError, walls.OpenWall) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"The worker cannot run: {error}") from None

    def _processes(self, text: str) -> int:
        number = len(os.sched_getaffinity(0)) if text == "auto" else int(text) if text.isdecimal() else 0
        if not 1 <= number <= PROCESSES_MOST:
            raise CommandError(f"--processes must be auto, or a number from 1 to {PROCESSES_MOST}")
        return number

    def _supervise(self, processes: int, changes: dict[str, Any]) -> None:
        """Does not return."""
        base, first_port = changes.get("name") or default_name(), changes["http_port"]

        def command(number: int) -> list[str]:
            options = {
                "seats": changes["seats"],
                "pool": changes["pool"],
                "name": f"{base}-{number + 1}",
                "http-port": first_port + number if first_port else 0,
                "audio-port": changes["audio_port"] + number if changes["audio_port"] else 0,
            }
            return [sys.executable, sys.argv[0], "runpipeline", *(f"--{name}={at}" for name, at in options.items())]

        supervisor = Supervisor(command, processes, drain_s=settings.GOASSIST.goassist_drain_s)
        self.stdout.write(f"Supervisor {base}: {processes} workers")
        self.stdout.flush()
        sys.exit(supervisor.run())

    async def _run(self, changes: dict[str, Any]) -> None:
        host = worker_host(**changes)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, host.drain)
        Lifeline(
            lambda: loop.call_soon_threadsafe(host.drain), settings.GOASSIST.goassist_drain_s + GRACE_S, os.environ
        )
        metrics.WORKER_RESTARTS.inc(restarts(os.environ))
        telling = asyncio.create_task(self._tell_when_ready(host))
        try:
            await host.run()
        finally:
            telling.cancel()
            await asyncio.wait({telling})

    async def _tell_when_ready(self, host: Host) -> None:
        await host.ready.wait()
        self.stdout.write(f"Worker {host.settings.name}: {host.settings.seats} seats, pool {host.settings.pool}")
        self.stdout.flush()
