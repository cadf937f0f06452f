"""What a tenant may use: exact also when many come at once, and never the end of a call that runs."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from sessions_app.assistants.models import Assistant
from sessions_app.edge import calls
from sessions_app.history.models import Session
from sessions_app.history.services import attach, next_leg
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.usage.models import Quota, UsageDay
from sessions_app.usage.quotas import (
    HOLD_S,
    PLACE_RETRY_S,
    QuotaExceeded,
    keep_place,
    month_of,
    sessions_now,
    take_place,
)
from tests.fakes.office import make_assistant, make_session, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def assistant() -> Assistant:
    return make_assistant(make_tenant())


def limit(assistant: Assistant, **limits: int) -> None:
    with everyone():
        Quota.objects.update_or_create(tenant_id=assistant.tenant_id, defaults=limits)


def used(assistant: Assistant, minutes: float, day: Any = None) -> None:
    with everyone():
        UsageDay.objects.create(
            tenant_id=assistant.tenant_id, day=day or timezone.now().date(), assistant=assistant,
            assistant_name=assistant.name, channel="voice", seconds=round(minutes * 60),
        )  # fmt: skip


def open_one(assistant: Assistant) -> Session:
    return calls.open_session(str(assistant.tenant_id), assistant.slug, "voice")


def change(session: Session, **fields: Any) -> None:
    with everyone():
        Session.objects.filter(pk=session.pk).update(**fields)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def kept(session: Session) -> None:
    with tenant_scope(session.tenant_id):
        keep_place(session)


def test_without_a_quota_there_is_no_limit(assistant):
    used(assistant, 1e6)
    assert len({open_one(assistant).pk for _ in range(5)}) == 5
    limit(assistant, concurrent_sessions=None, minutes_a_month=None)
    open_one(assistant)


def test_so_many_at_a_time_and_one_more_is_refused_in_words(assistant):
    limit(assistant, concurrent_sessions=2)
    first = open_one(assistant)
    open_one(assistant)
    with pytest.raises(QuotaExceeded, match="No more than 2 conversations at a time") as refused:
        open_one(assistant)
    assert (refused.value.retry_after_s, refused.value.resets_at) == (PLACE_RETRY_S, None)
    change(first, state="ended")
    open_one(assistant)


def test_another_tenants_sessions_take_no_place(assistant):
    other = make_assistant(make_tenant())
    limit(assistant, concurrent_sessions=1)
    for _ in range(3):
        open_one(other)
    open_one(assistant)


def test_a_live_session_holds_its_place_for_ever_and_a_new_one_for_a_while(assistant):
    limit(assistant, concurrent_sessions=2)
    live, new = open_one(assistant), open_one(assistant)
    change(live, state="live", held_at=ago(3000), created_at=ago(3000))
    change(new, held_at=ago(HOLD_S + 1))
    open_one(assistant)
    with pytest.raises(QuotaExceeded):
        open_one(assistant)


def test_who_comes_late_has_to_find_a_place_anew(assistant):
    limit(assistant, concurrent_sessions=1)
    late = open_one(assistant)
    change(late, held_at=ago(HOLD_S + 1))
    in_time = open_one(assistant)
    with pytest.raises(QuotaExceeded):
        kept(late)
    kept(in_time)
    change(in_time, state="ended")
    kept(late)
    with pytest.raises(QuotaExceeded):
        open_one(assistant)


def test_an_offer_renews_the_place(assistant):
    limit(assistant, concurrent_sessions=1)
    session = open_one(assistant)
    change(session, held_at=ago(HOLD_S - 10))
    kept(session)
    with tenant_scope(assistant.tenant_id):
        assert Session.objects.get(pk=session.pk).held_at > ago(10)


def test_a_call_that_runs_is_never_cut_and_may_always_reconnect(assistant):
    session = open_one(assistant)
    with tenant_scope(assistant.tenant_id):
        attach(session_id=session.pk, leg=next_leg(session_id=session.pk), mailbox="box", worker="w")
    limit(assistant, concurrent_sessions=1, minutes_a_month=1)
    used(assistant, 5)
    make_session(assistant)
    kept(session)


def test_the_months_minutes_are_refused_with_the_day_on_which_they_begin_anew(assistant):
    limit(assistant, minutes_a_month=10)
    waiting = open_one(assistant)
    used(assistant, 9.9)
    open_one(assistant)
    used(assistant, 0.1, day=timezone.now().replace(day=1).date() if timezone.now().day > 1 else ago(-86_400).date())
    resets_at = month_of(timezone.now())[1]
    for refused_thing in (lambda: open_one(assistant), lambda: kept(waiting)):
        with pytest.raises(QuotaExceeded, match=f"begin anew on {resets_at:%Y-%m-%d}") as refused:
            refused_thing()
        assert refused.value.resets_at == resets_at
        assert timezone.now() + timedelta(seconds=refused.value.retry_after_s) >= resets_at


def test_last_months_minutes_are_forgotten(assistant):
    limit(assistant, minutes_a_month=10)
    used(assistant, 1000, day=month_of(timezone.now())[0].date() - timedelta(days=1))
    open_one(assistant)


@pytest.mark.parametrize(
    ("at", "first", "following"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 5, tzinfo=UTC), datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_month_is_a_calendar_month(at, first, following):
    assert month_of(at) == (first, following)


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What each of them returned or raised, in threads with connections of their own."""
    barrier, results = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results.append(work())
        except QuotaExceeded as refused:
            results.append(refused)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,), name="asker") for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_take_the_last_place_twice():
    assistant = make_assistant(make_tenant())
    limit(assistant, concurrent_sessions=3)
    for _ in range(3):
        results = at_once([lambda: open_one(assistant)] * 8)
        assert sum(isinstance(result, Session) for result in results) == 3
        assert len(results) == 8
        with everyone():
            Session.objects.all().update(state="ended")


@pytest.mark.django_db(transaction=True)
def test_late_ones_and_new_ones_at_once_never_take_the_last_place_twice():
    assistant = make_assistant(make_tenant())
    late = [open_one(assistant) for _ in range(4)]
    limit(assistant, concurrent_sessions=2)
    for session in late:
        change(session, held_at=ago(HOLD_S + 60))
    asked: list[Callable[[], Any]] = [lambda session=session: kept(session) for session in late]
    results = at_once([*asked, *([lambda: open_one(assistant)] * 4)])
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 6
    with tenant_scope(assistant.tenant_id):
        assert sessions_now(assistant.tenant_id) == 2


def test_a_refused_session_leaves_nothing_behind(assistant):
    limit(assistant, concurrent_sessions=1)
    open_one(assistant)
    with pytest.raises(QuotaExceeded), tenant_scope(assistant.tenant_id), transaction.atomic():
        take_place(assistant.tenant_id)
    with everyone():
        assert Session.objects.count() == 1
