"""From conversations to figures, by day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions_app.assistants.models import Assistant
from sessions_app.history.models import Session, Turn
from sessions_app.history.services import LOST, attach, next_leg
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.usage import tasks
from sessions_app.usage.metering import open_days, roll_up
from sessions_app.usage.models import UsageDay
from tests.fakes.office import make_assistant, make_session, make_tenant

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def conversation(
    assistant: Assistant, begins: datetime | None, ends: datetime, state="ended", reason="hangup", channel="voice"
) -> Session:
    """A session that was opened half a minute before it was connected."""
    session = make_session(assistant, channel)
    opened = (begins or ends) - minutes(0.5)
    fields = {"created_at": opened, "connected_at": begins, "state": state, "end_reason": reason, "last_seen_at": ends}
    with everyone():
        Session.objects.filter(pk=session.pk).update(**fields, ended_at=ends if state == "ended" else None)
        return Session.objects.get(pk=session.pk)


def turn(session: Session, at: datetime, number: int = 1, **fields) -> None:
    with everyone():
        Turn.objects.create(
            tenant_id=session.tenant_id, session=session, leg=1, number=number, started_at=at,
            **{"origin": "voice", "visitor_text": "secret words", **fields},
        )  # fmt: skip


def rolled(*days: date) -> None:
    with everyone():
        roll_up(days or [DAY])


def usage(day: date = DAY, **wanted) -> list[tuple[int, ...]]:
    """(sessions, seconds, visitor turns, chat messages, interrupted), of each row."""
    with everyone():
        return list(
            UsageDay.objects.filter(day=day, **wanted).order_by("tenant", "channel").values_list(*UsageDay.FIGURES)
        )


@pytest.fixture
def assistant() -> Assistant:
    return make_assistant(make_tenant())


def test_a_day_is_counted_by_assistant_and_channel(assistant):
    one = conversation(assistant, NOON, NOON + minutes(3))
    conversation(assistant, NOON, NOON + minutes(2))
    typed = conversation(assistant, NOON, NOON + minutes(1), channel="chat")
    turn(one, NOON, 1)
    turn(one, NOON, 2, interrupted=True)
    turn(one, NOON, 3, origin="greeting", interrupted=True)
    turn(typed, NOON, origin="chat")
    rolled()
    assert usage(channel="voice") == [(2, 300, 2, 0, 2)]
    assert usage(channel="chat") == [(1, 60, 0, 1, 0)]


def test_counting_again_changes_nothing(assistant):
    turn(conversation(assistant, NOON, NOON + minutes(3)), NOON)
    for _ in range(3):
        rolled()
    assert usage() == [(1, 180, 1, 0, 0)]


def test_what_came_late_is_counted_the_next_time(assistant):
    conversation(assistant, NOON, NOON + minutes(3))
    rolled()
    turn(conversation(assistant, NOON, NOON + minutes(2)), NOON)
    rolled()
    assert usage() == [(2, 300, 1, 0, 0)]


def test_a_session_across_midnight_is_split(assistant):
    session = conversation(assistant, MIDNIGHT - minutes(10), MIDNIGHT + minutes(20))
    turn(session, MIDNIGHT - minutes(1), 1)
    turn(session, MIDNIGHT + minutes(1), 2)
    rolled(DAY, DAY + timedelta(days=1))
    assert usage(DAY) == [(1, 600, 1, 0, 0)]
    assert usage(DAY + timedelta(days=1)) == [(0, 1200, 1, 0, 0)]


@given(
    spans=st.lists(st.tuples(st.integers(-3600, 90_000), st.integers(0, 3600)), min_size=1, max_size=6),
)
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_second_is_lost_or_counted_twice_between_days(spans):
    assistant = make_assistant(make_tenant())
    begins = datetime(2026, 11, 20, tzinfo=UTC)
    for offset_s, length_s in spans:
        at = begins + timedelta(seconds=offset_s)
        conversation(assistant, at, at + timedelta(seconds=length_s))
    rolled(*(DAY + timedelta(days=number) for number in (-1, 0, 1, 2)))
    with tenant_scope(assistant.tenant_id):
        rows = UsageDay.objects.values_list("sessions", "seconds")
        assert sum(sessions for sessions, _ in rows) == len(spans)
        assert sum(seconds for _, seconds in rows) == sum(length_s for _, length_s in spans)


def test_a_session_that_goes_on_counts_until_it_was_last_heard_of(assistant):
    conversation(assistant, NOON, NOON + minutes(7), state="live", reason="")
    rolled()
    assert usage() == [(1, 420, 0, 0, 0)]


def test_a_lost_session_counts_until_it_was_last_heard_of_not_until_it_was_given_up(assistant):
    lost = conversation(assistant, NOON, NOON + minutes(7), reason=LOST)
    with everyone():
        Session.objects.filter(pk=lost.pk).update(ended_at=NOON + minutes(9))
    rolled()
    assert usage() == [(1, 420, 0, 0, 0)]


def test_who_was_never_connected_used_nothing(assistant):
    conversation(assistant, None, NOON, reason="limit")
    conversation(assistant, None, NOON, state="new", reason="")
    rolled()
    assert usage() == []


def test_connected_begins_with_the_first_worker_and_not_anew_with_the_next(assistant):
    session = make_session(assistant)
    with everyone():
        begun = []
        for _ in range(2):
            leg = next_leg(session_id=session.pk)
            assert attach(session_id=session.pk, leg=leg, mailbox="box", worker="w")
            begun.append(Session.objects.get(pk=session.pk).connected_at)
    assert begun[0] == begun[1]
    assert begun[0] is not None


def test_usage_stays_when_conversations_are_deleted(assistant):
    """Today's too, and further ones are added to it."""
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    today = open_days()[1]
    gone = conversation(assistant, now, now + minutes(5))
    turn(gone, now, 1, interrupted=True)
    never_counted = conversation(assistant, now, now + minutes(1))
    rolled(today)
    with tenant_scope(assistant.tenant_id):
        gone.delete()
        Session.objects.filter(pk=never_counted.pk).delete()
    conversation(assistant, now, now + minutes(2))
    for _ in range(2):
        rolled(today)
    assert usage(today) == [(3, 480, 1, 0, 1)]


def test_what_is_deleted_before_it_was_ever_counted_is_counted(assistant):
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    session = conversation(assistant, now, now + minutes(5))
    with tenant_scope(assistant.tenant_id):
        session.delete()
    rolled(open_days()[1])
    assert usage(open_days()[1]) == [(1, 300, 0, 0, 0)]


def test_deleting_old_conversations_asks_nothing_more_of_the_database(assistant):
    session = conversation(assistant, NOON - timedelta(days=400), NOON - timedelta(days=400))
    with tenant_scope(assistant.tenant_id), CaptureQueriesContext(connection) as asked:
        session.delete()
    assert not [query["sql"] for query in asked if "usageday" in query["sql"] or "sessions_app_tenant" in query["sql"]]


def test_usage_stays_when_only_turns_are_deleted(assistant):
    session = conversation(assistant, NOON, NOON + minutes(5))
    turn(session, NOON)
    rolled()
    with everyone():
        Turn.objects.filter(session=session).delete()
    rolled()
    assert usage() == [(1, 300, 1, 0, 0)]


def test_usage_goes_with_its_tenant(assistant):
    now = timezone.now()
    conversation(assistant, now - minutes(5), now)
    rolled(*open_days())
    with everyone():
        Tenant.objects.get(pk=assistant.tenant_id).delete()
        assert not UsageDay.objects.exists()


def test_usage_keeps_the_name_of_an_assistant_that_is_gone(assistant):
    session = conversation(assistant, NOON, NOON + minutes(5))
    rolled()
    with tenant_scope(assistant.tenant_id):
        session.delete()
        assistant.delete()
        row = UsageDay.objects.get()
    assert (row.assistant_id, row.assistant_name, row.seconds) == (None, "Robin", 300)


def test_tenants_are_counted_apart(assistant):
    other = make_assistant(make_tenant())
    conversation(assistant, NOON, NOON + minutes(1))
    conversation(other, NOON, NOON + minutes(2))
    rolled()
    assert usage(tenant=assistant.tenant_id) == [(1, 60, 0, 0, 0)]
    assert usage(tenant=other.tenant_id) == [(1, 120, 0, 0, 0)]


def test_nothing_of_what_was_said_is_kept(assistant):
    turn(conversation(assistant, NOON, NOON + minutes(1)), NOON)
    rolled()
    with everyone():
        row = UsageDay.objects.values().get()
    assert "secret" not in str(row)


def test_the_work_does_not_grow_with_the_number_of_sessions(assistant):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            rolled()
        return len(asked)

    conversation(assistant, NOON, NOON + minutes(1))
    rolled()
    few = queries()
    for _ in range(20):
        conversation(assistant, NOON, NOON + minutes(1))
    assert queries() == few


def test_the_task_counts_today_and_yesterday(assistant):
    now = timezone.now()
    yesterday, today = open_days(now)
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    conversation(assistant, midnight - minutes(2), midnight + minutes(1))
    conversation(assistant, midnight - minutes(60 * 24 + 30), midnight - minutes(60 * 24 + 20))
    tasks.roll_up()
    assert usage(yesterday) == [(1, 120, 0, 0, 0)]
    assert usage(today) == [(0, 60, 0, 0, 0)]
    assert usage(yesterday - timedelta(days=1)) == []
