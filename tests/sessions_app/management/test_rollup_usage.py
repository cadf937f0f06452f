"""Counting usage anew by hand."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions_app.history.models import Session
from sessions_app.tenants.scope import everyone
from sessions_app.usage.models import UsageDay
from tests.fakes.office import make_assistant, make_session, make_tenant

pytestmark = pytest.mark.django_db


def counted(since: str) -> str:
    said = StringIO()
    call_command("rollup_usage", "--since", since, stdout=said)
    return said.getvalue()


@pytest.mark.parametrize("again", [False, True])
def test_days_that_are_long_over_are_counted(again: bool) -> None:
    session = make_session(make_assistant(make_tenant()))
    at = timezone.now().replace(hour=12) - timedelta(days=5)
    with everyone():
        rows = Session.objects.filter(pk=session.pk)
        rows.update(created_at=at, connected_at=at, ended_at=at + timedelta(seconds=90), state="ended")
    for _ in range(1 + again):
        counted("0001-01-01")
    with everyone():
        assert list(UsageDay.objects.values_list("day", "sessions", "seconds")) == [(at.date(), 1, 90)]


def test_without_any_sessions_there_is_nothing_to_count() -> None:
    assert counted("2026-01-01").startswith("0 rows")


@pytest.mark.parametrize(
    ("since", "said"),
    [("yesterday", "2026-11-01"), ("2026-13-01", "2026-11-01"), (f"{date.max}", "in the future")],
)
def test_what_is_no_day_is_said_in_words(since: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        counted(since)
