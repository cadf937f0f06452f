"""The live page: what goes on now, for operators everywhere, for members in their own tenant only."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pipeline.contracts.numbers import SESSION_LIMIT_S
from pipeline.contracts.wire import Report
from sessions_app import switchboard
from sessions_app.history.models import Session
from sessions_app.history.services import apply_records, attach, next_leg
from sessions_app.operations import services, tasks
from sessions_app.tenants.models import Role, User
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_assistant, make_member, make_operator, make_session, make_tenant, signed_in
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db

PAGE, NOW = "admin:sessions_app_livesession_changelist", "admin:livesession_now"


def make_live(name: str) -> Session:
    session = make_session(make_assistant(make_tenant(name)))
    with everyone():
        leg = next_leg(session_id=session.pk)
        attach(session_id=session.pk, leg=leg, mailbox="mailbox", worker="worker-1")
    return session


@pytest.fixture
def riverside() -> Session:
    return make_live("Riverside")


@pytest.fixture
def harbor() -> Session:
    return make_live("Harbor")


def shown(client: Client) -> list[dict[str, Any]]:
    sessions: list[dict[str, Any]] = client.get(reverse(NOW)).json()["sessions"]
    return sessions


@pytest.mark.parametrize("role", list(Role))
def test_members_see_their_own_tenants_sessions_only(riverside: Session, harbor: Session, role: Role) -> None:
    client = signed_in(make_member(riverside.tenant, role))
    assert [s["id"] for s in shown(client)] == [str(riverside.pk)]
    text = client.get(reverse(PAGE)).content.decode()
    assert str(riverside.pk) in text
    assert str(harbor.pk) not in text
    assert "Harbor" not in text


def test_operators_see_all(riverside: Session, harbor: Session) -> None:
    assert {s["id"] for s in shown(signed_in(make_operator()))} == {str(riverside.pk), str(harbor.pk)}


def test_a_person_without_a_tenant_sees_nothing(riverside: Session) -> None:
    client = signed_in(User.objects.create_user("nobody@example.com", "a long word", is_staff=True))
    for page in (PAGE, NOW):
        answer = client.get(reverse(page))
        assert answer.status_code == 403
        assert str(riverside.pk) not in answer.content.decode()


def test_a_stranger_is_sent_to_the_door(riverside: Session) -> None:
    assert {Client().get(reverse(page)).status_code for page in (PAGE, NOW)} == {302}


def test_a_session_is_shown_with_its_worker_and_its_last_turns_latency(riverside: Session) -> None:
    apply_records([told(riverside, leg=1, number=n, timings={"ttfa_ms": 100.0 + n}) for n in (1, 2)])
    (row,) = shown(signed_in(make_operator()))
    assert (row["tenant"], row["assistant"], row["worker"], row["leg"]) == ("Riverside", "Robin", "worker-1", 1)
    assert row["ttfa_ms"] == 102.0


def test_a_session_that_no_worker_holds_is_not_live(riverside: Session) -> None:
    waiting = make_session(make_assistant(riverside.tenant))
    assert str(waiting.pk) not in {s["id"] for s in shown(signed_in(make_operator()))}


def test_an_unseen_session_is_reaped_and_a_seen_one_is_not(riverside: Session, harbor: Session) -> None:
    unseen = timezone.now() - timedelta(seconds=services.SILENT_S + 1)
    with everyone():
        Session.objects.filter(pk=riverside.pk).update(last_seen_at=unseen)
    tasks.reap_sessions()
    assert [s["id"] for s in shown(signed_in(make_operator()))] == [str(harbor.pk)]
    with everyone():
        gone = Session.objects.get(pk=riverside.pk)
    assert (gone.state, gone.end_reason) == ("ended", services.LOST)
    assert gone.ended_at is not None


def test_a_session_that_nobody_ever_connected_to_is_reaped_when_its_time_is_over(riverside: Session) -> None:
    waiting = make_session(make_assistant(riverside.tenant))
    tasks.reap_sessions()
    with everyone():
        assert Session.objects.get(pk=waiting.pk).state == "new"
        unseen = timezone.now() - timedelta(seconds=SESSION_LIMIT_S + 1)
        Session.objects.filter(pk=waiting.pk).update(last_seen_at=unseen)
    tasks.reap_sessions()
    with everyone():
        assert Session.objects.get(pk=waiting.pk).end_reason == "limit"


# Workers ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reporting(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report("w1", "default", 4, "event loop lag", False, False, 5, 8, 43.5, 231.0)
    monkeypatch.setattr(switchboard, "muster_from_anywhere", lambda: [report])


def test_operators_see_how_each_worker_stands_and_why(reporting: None) -> None:
    (worker,) = signed_in(make_operator()).get(reverse(NOW)).json()["workers"]
    assert (worker["worker"], worker["level"], worker["level_name"]) == ("w1", 4, "new sessions queue")
    assert (worker["why"], worker["takes_sessions"]) == ("event loop lag", False)
    assert (worker["sessions"], worker["seats"], worker["loop_lag_ms"], worker["ttfa_p95_ms"]) == (5, 8, 43.5, 231.0)


def test_members_see_nothing_of_workers(riverside: Session, reporting: None) -> None:
    client = signed_in(make_member(riverside.tenant))
    assert client.get(reverse(NOW)).json()["workers"] is None
    assert "data-workers" not in client.get(reverse(PAGE)).content.decode()
