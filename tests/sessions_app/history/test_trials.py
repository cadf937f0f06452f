"""A tenant's own talk with a draft: told apart, and counted nowhere."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse
from django.utils import timezone

from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.assistants.services import freeze_trial, publish
from sessions_app.history import dashboard, pulse, services
from sessions_app.history.models import Session, SessionState, Turn
from sessions_app.history.services import apply_records, create_session
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.usage.metering import keep, open_days, roll_up
from sessions_app.usage.models import UsageDay
from sessions_app.webhooks.models import WebhookEvent
from sessions_app.webhooks.services import create_endpoint
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def assistant() -> Assistant:
    return make_assistant(make_tenant())


def tried(assistant: Assistant) -> Session:
    """A talk of a minute with its draft, just over."""
    with tenant_scope(assistant.tenant_id):
        Assistant.objects.filter(pk=assistant.pk).update(draft={**assistant.draft, "greeting": "Good evening."})
        version = freeze_trial(assistant=assistant)
        session = create_session(tenant_id=assistant.tenant_id, assistant=assistant, version=version)
        session.tenant = assistant.tenant
    talked(session)
    return session


def talked(session: Session) -> None:
    now = timezone.now()
    with tenant_scope(session.tenant_id):
        services.attach(session_id=session.pk, leg=0, mailbox="m", worker="w")
        apply_records([told(session, number=1, started_at=now.timestamp(), ended_at=now.timestamp())])
        services.end_session(session_id=session.pk, reason="hangup")
        Session.objects.filter(pk=session.pk).update(
            connected_at=now - timedelta(seconds=60), ended_at=now, state=SessionState.ENDED
        )


def test_drafts_on_trial_take_no_number(assistant: Assistant) -> None:
    trial = tried(assistant).version
    with tenant_scope(assistant.tenant_id):
        assert (trial.trial, trial.number) == (True, None)
        assert str(trial).startswith("draft of ")
        assert publish(assistant=assistant).number == 2
        numbers = AssistantVersion.objects.filter(trial=False).values_list("number", flat=True)
        assert sorted(numbers) == [1, 2]


def test_trials_from_before_they_were_told_apart_are_marked(assistant: Assistant) -> None:
    session, other = tried(assistant), make_session(assistant)
    migration = import_module("sessions_app.migrations.0022_old_trials")
    then: Any = MigrationLoader(connection).project_state(("sessions_app", "0022_old_trials")).apps
    with everyone():
        Session.objects.update(trial=False)
        then.get_model("sessions_app", "AssistantVersion").objects.filter(trial=True).update(number=7)
    migration.mark(then, None)
    with everyone():
        assert dict(Session.objects.values_list("pk", "trial")) == {session.pk: True, other.pk: False}
        assert sorted(AssistantVersion.objects.values_list("trial", "number")) == [(False, 1), (True, None)]


def test_a_trial_counts_in_no_figure(assistant: Assistant) -> None:
    tried(assistant)
    with tenant_scope(assistant.tenant_id):
        assert dashboard.figures()[0]["value"] == "0"
        assert sum(dashboard.sessions_by_day()["datasets"][0]["data"]) == 0
        assert dashboard._ttfa_ms() == []
        assert sum(pulse.pulse()["turns"]) == 0
    talked(make_session(assistant))
    with tenant_scope(assistant.tenant_id):
        assert dashboard.figures()[0]["value"] == "1"
        assert dashboard._ttfa_ms() == [120.5]
        assert sum(pulse.pulse()["turns"]) == 1


def test_a_trial_is_no_usage_not_even_when_it_is_deleted(assistant: Assistant) -> None:
    session = tried(assistant)
    with everyone():
        roll_up(open_days(datetime.now(UTC)))
        keep(session)
        assert not UsageDay.objects.filter(sessions__gt=0).exists()
    talked(make_session(assistant))
    with everyone():
        roll_up(open_days(datetime.now(UTC)))
        assert UsageDay.objects.filter(sessions=1, visitor_turns=1).count() == 1


def test_webhooks_hear_of_visitors_only(assistant: Assistant) -> None:
    with tenant_scope(assistant.tenant_id):
        create_endpoint(tenant=assistant.tenant, url="https://hooks.example/")
    tried(assistant)
    with everyone():
        assert not WebhookEvent.objects.exists()
    talked(make_session(assistant))
    with everyone():
        kinds = set(WebhookEvent.objects.values_list("type", flat=True))
    assert kinds == {"session.started", "session.ended", "turn.finished"}


def test_the_console_tells_them_apart(assistant: Assistant) -> None:
    session = tried(assistant)
    make_session(assistant)
    client = signed_in(make_member(assistant.tenant))
    page = reverse("admin:sessions_app_session_changelist")
    assert client.get(page).content.decode().count("voice, trial") == 1
    assert "voice, trial" not in client.get(page, {"trial__exact": "0"}).content.decode()
    address = reverse("admin:sessions_app_session_change", args=[session.pk.replace("_", "_5F")])
    assert "a trial in the console" in client.get(address).content.decode()
    with everyone():
        assert Turn.objects.filter(session=session).exists(), "its words are there all the same"
