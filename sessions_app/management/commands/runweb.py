"""The web process: Daphne with our guards (edge.server)."""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from goassist_site.secret_files import SettingsError
from sessions_app.tenants import walls


class Command(BaseCommand):
    help = "Serves pages, API and websockets. Workers and Celery run as processes of their own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.GOASSIST.port, help="TCP port; default: PORT.")
        parser.add_argument(
            "--bind", default=settings.GOASSIST.goassist_bind, help="Address to listen on; default: GOASSIST_BIND."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The application imports models and views: only when this command really runs.
        from goassist_site.asgi import application
        from sessions_app.edge.server import WebServer

        try:
            settings.GOASSIST.require_shared_layer("runweb")
            walls.ensure_closed(connection)
        except (SettingsError, walls.OpenWall) as error:
            raise CommandError(str(error)) from None
        host, port = options["bind"], options["port"]
        if not 1 <= port <= 65535:
            raise CommandError("--port must be 1 to 65535")
        try:
            ip_address(host)
        except ValueError:
            raise CommandError(
                "--bind must be an IP address: 127.0.0.1, or 0.0.0.0 for all of this machine's"
            ) from None
        server = WebServer(application, host=host, port=port, on_start=lambda: self._listening(host, port))
        server.run()
        if server.failure:
            raise CommandError(server.failure)

    def _listening(self, host: str, port: int) -> None:
        self.stdout.write(f"Listening on http://{host}:{port}/")
        self.stdout.flush()
