"""Everything in one process, with nothing else installed: web server, worker on the same loop, Celery in threads."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from pipeline.contracts.errors import EngineError
from pipeline.worker.host import Host
from sessions_app.management.commands import seed_demo
from sessions_app.management.composition import worker_host
from sessions_app.operations import services as operations
from sessions_app.operations.models import GOING, SoakRun
from sessions_app.tenants import walls
from sessions_app.tenants.scope import everyone

DRAIN_S = 1.0
"""Whoever presses Ctrl-C does not want to wait for conversations to end."""
STOP_LIMIT_S = 8.0


class Command(BaseCommand):
    help = "Migrates, seeds the demo tenants and runs the whole product until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        from goassist_site.asgi import application
        from sessions_app.edge.server import WebServer
        from sessions_app.management.background import Background

        env = settings.GOASSIST
        if env.goassist_mode != "embedded":
            raise CommandError("GOASSIST_MODE is distributed: use runweb, runpipeline and Celery instead.")
        call_command("migrate", interactive=False, verbosity=0)
        try:
            walls.ensure_closed(connection)
        except walls.OpenWall as error:
            raise CommandError(str(error)) from None
        self._demo = seed_demo.seed()
        self._failure = ""
        self._background = Background()
        self._server = WebServer(application, host=env.goassist_bind, port=env.port, on_start=self._start)
        self._server.on_stop(self._stop)
        self._server.run()
        if failure := self._failure or self._server.failure:
            raise CommandError(failure)

    def _start(self) -> None:
        """The port is open; on the server's loop."""
        self._host = worker_host(http_port=0, drain_deadline_s=DRAIN_S)
        self._background.start()
        self._work = asyncio.ensure_future(self._run(self._host))
        self._greeting = asyncio.ensure_future(self._greet(self._host))

    async def _run(self, host: Host) -> None:
        """Without a worker there is nobody to talk with: its end is the end."""
        try:
            await host.run()
        except EngineError as error:
            self._failure = f"The {error.engine} engine did not start: {error}"
        except Exception as error:
            self._failure = f"The worker failed: {type(error).__name__}: {error}"
        finally:
            self._server.stop()

    async def _greet(self, host: Host) -> None:
        self._say("Loading the engines ...")
        await host.ready.wait()
        self._say(f"\nGoAssist is ready: {settings.GOASSIST.origins[0]}/\n\n{seed_demo.in_words(self._demo)}\n")
        self._say(
            f"Console     {settings.GOASSIST.origins[0]}/admin/\nLogs        {settings.LOG_FOLDER}\nStop with Ctrl-C."
        )

    async def _stop(self) -> None:
        """Sessions, worker and Celery end, in a few seconds whatever happens."""
        if not hasattr(self, "_host"):
            return
        self._host.drain()
        self._greeting.cancel()
        celery = asyncio.ensure_future(asyncio.to_thread(self._stop_background))
        await asyncio.wait({self._work, self._greeting, celery}, timeout=STOP_LIMIT_S)
        self._work.cancel()

    def _stop_background(self) -> None:
        """A soak run is asked to end, or its thread would keep the process."""
        with everyone():
            for run in SoakRun.objects.filter(state__in=GOING):
                operations.ask_stop(run=run)
        connections.close_all()
        self._background.stop()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
