import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sessions_app.history import selectors
from sessions_app.history.models import Session
from sessions_app.history.services import attach, end_session, end_silent_sessions, next_leg, touch
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_session, make_tenant


@pytest.fixture
def session():
    return make_session(make_assistant(make_tenant()))


@pytest.mark.django_db(transaction=True)
def test_two_offers_at_once_get_two_legs(session):
    legs: list[int] = []

    def offer():
        with everyone():
            legs.append(next_leg(session_id=session.id))
        connection.close()

    threads = [threading.Thread(target=offer) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(legs) == [1, 2, 3, 4, 5]


@pytest.mark.django_db
def test_only_the_latest_leg_attaches(session):
    with tenant_scope(session.tenant_id):
        first = next_leg(session_id=session.id)
        second = next_leg(session_id=session.id)
        assert attach(session_id=session.id, leg=second, mailbox="two", worker="w2")
        assert not attach(session_id=session.id, leg=first, mailbox="one", worker="w1")
        assert Session.objects.get(pk=session.pk).mailbox == "two"
        end_session(session_id=session.id, reason="hangup")
        assert not attach(session_id=session.id, leg=second, mailbox="two", worker="w2")


@pytest.mark.django_db
def test_another_tenant_cannot_touch_a_session(session):
    with tenant_scope(make_tenant().id):
        assert not end_session(session_id=session.id, reason="stolen")
        assert touch([session.id]) == 0
        assert selectors.session(session.id) is None
        with pytest.raises(Session.DoesNotExist):
            next_leg(session_id=session.id)


@pytest.mark.django_db
def test_silent_sessions_end_and_lively_ones_do_not(session):
    lively = make_session(make_assistant(make_tenant()))
    with everyone():
        Session.objects.update(last_seen_at=timezone.now() - timedelta(seconds=600))
        touch([lively.id])
        assert end_silent_sessions(state="live", silent_s=300, reason="lost") == 0
        assert end_silent_sessions(state="new", silent_s=300, reason="lost") == 1
        assert selectors.session(session.id).end_reason == "lost"
        assert selectors.session(lively.id).state == "new"


@pytest.mark.django_db
def test_a_session_given_up_while_the_database_was_away_lives_again(session):
    with everyone():
        attach(session_id=session.id, leg=next_leg(session_id=session.id), mailbox="one", worker="w1")
        Session.objects.update(last_seen_at=timezone.now() - timedelta(seconds=600))
        assert end_silent_sessions(state="live", silent_s=60, reason="lost") == 1
        touch([session.id])
        again = selectors.session(session.id)
        assert (again.state, again.end_reason, again.ended_at, again.mailbox) == ("live", "", None, "one")


@pytest.mark.django_db
def test_touching_does_not_revive_a_session_that_was_hung_up(session):
    with everyone():
        end_session(session_id=session.id, reason="hangup")
        assert touch([session.id]) == 0
        assert selectors.session(session.id).state == "ended"


@pytest.mark.django_db
def test_what_is_no_id_is_no_session():
    with everyone():
        assert selectors.session("../../etc/passwd") is None


@pytest.mark.django_db
def test_a_worker_rehearses_what_visitors_spoke_with_last():
    earlier, latest, _ = (make_assistant(make_tenant(), persona=f"{n}.") for n in ("Earlier", "Latest", "Never"))
    make_session(earlier)
    make_session(latest)
    with everyone():
        called = selectors.versions_called_last(9)
        assert [spec.persona for spec in called] == ["Latest.", "Earlier.", "Never."]
        assert [spec.assistant_id for spec in selectors.versions_called_last(1)] == [str(latest.id)]
