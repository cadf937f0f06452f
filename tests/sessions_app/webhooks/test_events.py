"""What is told, and that telling never gets into the way of what it tells of."""

import json
import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from pipeline.contracts.dialogue import LegRecord
from sessions_app.assistants.services import publish
from sessions_app.history.erasure import erase
from sessions_app.history.models import Privacy, Session, Turn
from sessions_app.history.services import apply_records, attach, end_session, end_silent_sessions, next_leg
from sessions_app.tenants.models import AuditEntry
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks import nudging, services
from sessions_app.webhooks.models import WebhookDelivery, WebhookEvent
from tests.fakes.office import make_assistant, make_session, make_tenant
from tests.sessions_app.history.test_journal import said, told
from tests.sessions_app.webhooks.conftest import Hook

pytestmark = pytest.mark.django_db
URL = "https://www.example.com/hooks"


@pytest.fixture
def session() -> Session:
    return make_session(make_assistant(make_tenant()))


@pytest.fixture
def hook(session: Session) -> Hook:
    return Hook(session.tenant, URL)


def leg(session: Session, kind: str, number: int = 1, reason: str = "") -> LegRecord:
    return LegRecord(
        kind=kind, session_id=session.id, tenant_id=str(session.tenant_id), leg=number, at=1_800_000_000.0 + number,
        worker="w1", reason=reason,
    )  # fmt: skip


def events() -> list[dict[str, Any]]:
    with everyone():
        return [
            json.loads(text) for text in WebhookEvent.objects.order_by("created_at").values_list("payload", flat=True)
        ]


def kinds() -> list[str]:
    return [event["type"] for event in events()]


def connected(session: Session) -> None:
    with tenant_scope(session.tenant_id):
        next_leg(session_id=session.id)
        assert attach(session_id=session.id, leg=1, mailbox="m", worker="w1")


def test_a_sessions_life_is_told_once_each_however_often_records_come(session: Session, hook: Hook) -> None:
    connected(session)
    for _ in range(2):
        apply_records([leg(session, "began"), said(session), told(session), leg(session, "ended", reason="hangup")])
    assert kinds() == ["session.started", "turn.finished", "session.ended"]
    started, turn, ended = (event["data"] for event in events())
    assert started["session_id"] == turn["session_id"] == ended["session_id"] == session.id
    assert (started["channel"], started["version"], started["assistant_id"]) == ("voice", 1, session.assistant_id)
    assert (turn["visitor_text"], turn["reply_text"]) == ("question 1.1", "answer 1.1")
    assert turn["turn_id"] == f"trn_{session.id[4:]}.1.1"
    assert (ended["end_reason"], ended["turns"]) == ("hangup", 1)


def test_the_journal_alone_tells_of_a_start_too(session: Session, hook: Hook) -> None:
    with tenant_scope(session.tenant_id):
        next_leg(session_id=session.id)
    apply_records([leg(session, "began")])
    with tenant_scope(session.tenant_id):
        attach(session_id=session.id, leg=1, mailbox="m", worker="w1")
    assert kinds() == ["session.started"]


def test_a_second_leg_is_no_second_session(session: Session, hook: Hook) -> None:
    connected(session)
    apply_records([leg(session, "began"), leg(session, "ended", reason="moved")])
    with tenant_scope(session.tenant_id):
        next_leg(session_id=session.id)
        attach(session_id=session.id, leg=2, mailbox="n", worker="w2")
    assert kinds() == ["session.started"]


def test_every_way_to_end_is_told(session: Session, hook: Hook) -> None:
    other = make_session(session.assistant)
    with tenant_scope(session.tenant_id):
        assert end_session(session_id=session.id, reason="hangup")
        assert not end_session(session_id=session.id, reason="again")
        assert end_silent_sessions(state="new", silent_s=-1, reason="limit") == 1
    assert [(e["data"]["session_id"], e["data"]["end_reason"]) for e in events()] == [
        (session.id, "hangup"), (other.id, "limit"),
    ]  # fmt: skip


def test_publishing_is_told(session: Session, hook: Hook) -> None:
    with tenant_scope(session.tenant_id):
        assistant = session.assistant
        assistant.draft = {**assistant.draft, "greeting": "Good day."}
        assistant.save()
        publish(assistant=assistant)
        publish(assistant=assistant)  # nothing new
    (event,) = events()
    assert event["type"] == "assistant.published"
    assert (event["data"]["version"], event["data"]["assistant_slug"]) == (2, assistant.slug)


@pytest.mark.parametrize(
    ("policy", "heard"), [("keep", "I am kim@example.com"), ("redact", "I am [e-mail]"), ("off", "")]
)
def test_words_are_told_as_they_are_kept(session: Session, hook: Hook, policy: str, heard: str) -> None:
    with tenant_scope(session.tenant_id):
        Privacy.objects.create(tenant=session.tenant, transcripts=policy)
    apply_records([told(session, visitor_text="I am kim@example.com")])
    assert events()[0]["data"]["visitor_text"] == heard


def test_only_what_was_chosen_goes_to_an_endpoint(session: Session, hook: Hook) -> None:
    ends = Hook(session.tenant, URL, events=["session.ended"])
    connected(session)
    with tenant_scope(session.tenant_id):
        end_session(session_id=session.id, reason="hangup")
    assert [row.event.type for row in ends.deliveries] == ["session.ended"]
    assert len(hook.deliveries) == 2


def test_what_nobody_listens_to_is_not_kept(session: Session) -> None:
    stranger = Hook(make_tenant(), URL)
    connected(session)
    apply_records([told(session)])
    assert events() == []
    assert stranger.deliveries == []


def test_what_was_rolled_back_is_not_told(hook: Hook) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        hook.emit()
        raise ZeroDivisionError
    assert events() == []


@pytest.mark.parametrize("bad", [{"x": float("nan")}, {"x": object()}, {1: 2, "x": {3}}])
def test_what_cannot_be_told_harms_nothing(session: Session, hook: Hook, bad: Any, caplog: Any) -> None:
    hook.emit(**{str(name): value for name, value in bad.items()})
    assert events() == []
    apply_records([told(session)])
    with everyone():
        assert Turn.objects.count() == 1


def test_what_was_told_of_a_visitor_goes_with_them(session: Session, hook: Hook) -> None:
    apply_records([told(session)])
    hook.emit("assistant.published")
    with tenant_scope(session.tenant_id):
        erase([Session.objects.select_related("tenant").get(pk=session.id)])
    assert kinds() == ["assistant.published"]


def test_it_costs_one_query_where_nobody_listens(session: Session, django_assert_num_queries: Any) -> None:
    with tenant_scope(session.tenant_id), django_assert_num_queries(1):
        services.emit(UUID(str(session.tenant_id)), "session.started", lambda: 1 / 0)


class TestSecrets:
    def test_the_database_has_none_to_read(self, hook: Hook) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM sessions_app_webhookendpoint")
            shown = str(cursor.fetchall())
        assert hook.secret not in shown
        assert hook.secret.removeprefix("whsec_") not in shown

    def test_the_audit_log_tells_that_it_changed_and_not_to_what(self, hook: Hook) -> None:
        with tenant_scope(hook.tenant.id):
            services.rotate_secret(endpoint=hook.row)
            entries = list(AuditEntry.objects.filter(action__startswith="webhook."))
        assert {entry.action for entry in entries} == {"webhook.created", "webhook.rotated"}
        for entry in entries:
            told = {**entry.before, **entry.after}
            assert told["secret"] == "(hidden)"
            assert set(entry.after.get("previous_secret", "(hidden)")) <= set("(hidden)")


def test_a_tenant_may_have_so_many(hook: Hook) -> None:
    for _ in range(services.MOST - 1):
        Hook(hook.tenant, URL)
    with pytest.raises(services.TooManyEndpoints, match="20"):
        Hook(hook.tenant, URL)


@pytest.mark.parametrize("url", ["http://www.example.com/", "https://10.0.0.1/", "ftp://example.com/", "no address"])
def test_addresses_that_are_refused_at_once(hook: Hook, url: str, settings: Any) -> None:
    settings.DEBUG = False
    with tenant_scope(hook.tenant.id), pytest.raises(ValueError):
        services.change_endpoint(endpoint=hook.row, changes={"url": url})
    assert hook.now.url == URL


def test_turned_off_and_on_again(hook: Hook) -> None:
    hook.emit()
    with tenant_scope(hook.tenant.id):
        services.change_endpoint(endpoint=hook.row, changes={"enabled": False})
        assert hook.delivery.state == "gave_up"
        with pytest.raises(services.TurnedOff):
            services.send_test(endpoint=hook.now)
        with pytest.raises(services.TurnedOff):
            services.replay(delivery=hook.delivery)
        services.change_endpoint(endpoint=hook.row, changes={"enabled": True})
        services.replay(delivery=hook.delivery)
    assert (hook.delivery.state, hook.now.disabled_reason) == ("pending", "")


class TestNudge:
    def test_celery_is_told_after_the_commit(
        self, hook: Hook, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        nudged: list[int] = []
        monkeypatch.setattr(services, "nudge", lambda: nudged.append(1))
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            hook.emit()
            assert not nudged
        assert callbacks
        assert nudged == [1]

    def test_a_broker_that_hangs_holds_nobody_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entered, over, calls = threading.Event(), threading.Event(), list[str]()

        def hang(name: str, **options: Any) -> None:
            calls.append(name)
            entered.set()
            over.wait(20)
            raise OperationalError("no broker")

        monkeypatch.setattr(nudging.current_app, "send_task", hang)
        nudger = nudging.Nudger()
        nudger()
        assert entered.wait(20)
        for _ in range(100):
            nudger()
        assert calls == [nudging.TASK]
        over.set()
        for thread in threading.enumerate():
            if thread.name == "webhook-nudge":
                thread.join(20)
        assert calls == [nudging.TASK] * 2


def test_rows_are_their_tenants_own(hook: Hook) -> None:
    hook.emit()
    with tenant_scope(make_tenant().id):
        assert not WebhookEvent.objects.exists()
        assert not WebhookDelivery.objects.exists()
