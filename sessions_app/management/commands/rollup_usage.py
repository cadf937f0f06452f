"""Counts usage anew from a day on: for journals that came later than a day, and after an upgrade."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Min
from django.utils import timezone

from sessions_app.history.models import Session
from sessions_app.tenants.scope import everyone
from sessions_app.usage.metering import roll_up


class Command(BaseCommand):
    help = "Counts the usage of all tenants anew, from the history, for each day since then. Twice is once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", required=True, help="First day (UTC), as 2026-11-01.")

    def handle(self, *args: Any, **options: Any) -> None:
        today = timezone.now().date()
        try:
            since = date.fromisoformat(options["since"])
        except ValueError:
            raise CommandError("--since is a day: 2026-11-01.") from None
        if since > today:
            raise CommandError("--since lies in the future.")
        with everyone():
            earliest = Session.objects.aggregate(earliest=Min("created_at"))["earliest"]
            since = max(since, earliest.date()) if earliest else today
            rows = roll_up(since + timedelta(days=number) for number in range((today - since).days + 1))
        self.stdout.write(f"{rows} rows counted, {since} to {today}.")
