"""A worker process: takes sessions from the channel layer, holds their media, writes their journal."""

import asyncio
import re
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from goassist_site.env import POOL_PATTERN, SettingsError
from pipeline.contracts.errors import EngineError
from pipeline.worker.host import Host
from sessions_app.management.composition import worker_host

POOL = re.compile(POOL_PATTERN)


class Command(BaseCommand):
    help = "Runs a pipeline worker. SIGTERM or Ctrl-C drains it: sessions move elsewhere, then it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        env = settings.GOASSIST
        parser.add_argument("--seats", type=int, default=env.goassist_seats, help="Sessions at a time.")
        parser.add_argument("--pool", default=env.goassist_pool, help="Which offers to take.")
        parser.add_argument("--name", help="Unique among workers; default: host name and process id.")
        parser.add_argument(
            "--http-port", type=int, default=env.worker_http_port, help="/healthz, /readyz, /metrics; 0: none."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seats"] < 1:
            raise CommandError("--seats must be at least 1")
        if not 0 <= options["http_port"] <= 65535:
            raise CommandError("--http-port must be 0 to 65535")
        if not POOL.fullmatch(options["pool"]):
            raise CommandError("--pool must be small letters, digits and hyphens")
        changes = {name: options[name] for name in ("seats", "pool", "http_port", "name") if options[name] is not None}
        try:
            settings.GOASSIST.require_shared_layer("runpipeline")
            asyncio.run(self._run(changes))
        except (SettingsError, EngineError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"The worker cannot run: {error}") from None

    async def _run(self, changes: dict[str, Any]) -> None:
        host = worker_host(**changes)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, host.drain)
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
