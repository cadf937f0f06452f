"""The last 24 hours, hour by hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.contracts.events import EventKind
from sessions_app.history.models import Session, SessionEvent
from sessions_app.history.pulse import HOURS, pulse
from sessions_app.history.services import apply_records
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_session, make_tenant
from tests.sessions_app.history.test_journal import told

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def turn(session: Session, number: int, back: timedelta, ttfa: float, **more: object) -> object:
    timings = {"ttfa_ms": ttfa, "barge_in_ms": ttfa / 2}
    return replace(told(session, number=number), started_at=(NOW - back).timestamp(), timings=timings, **more)


def test_each_hour_has_its_own_percentiles_and_counts() -> None:
    session, other = (make_session(make_assistant(make_tenant())) for _ in range(2))
    hour = timedelta(hours=1)
    apply_records(
        [
            turn(session, 1, 0 * hour, 100.0),
            turn(session, 2, 0 * hour, 200.0, interrupted=True),
            turn(session, 3, 3 * hour, 300.0),
            turn(session, 4, 0 * hour, 9000.0, warmup=True),
            turn(session, 5, 30 * hour, 5.0),
            turn(other, 1, 0 * hour, 7000.0),
        ]
    )
    with tenant_scope(session.tenant_id):
        SessionEvent.objects.create(
            tenant_id=session.tenant_id, session=session, leg=1, seq=1, turn=1, kind=EventKind.ERROR, at=NOW
        )
        found = pulse(NOW)
    assert found["hours"][-1] == "2026-03-02T12:00:00+00:00" and len(found["hours"]) == HOURS
    assert (found["ttfa_p50"][-1], found["ttfa_p95"][-1], found["barge_in_p50"][-1]) == (100.0, 200.0, 50.0)
    assert (found["ttfa_p50"][-4], found["ttfa_p50"][-2]) == (300.0, None)
    assert (found["turns"][-1], found["interrupted"][-1], found["errors"][-1]) == (3, 1, 1)
    assert sum(found["turns"]) == 4, "older turns are none of these hours'"
    with everyone():
        assert pulse(NOW)["ttfa_p95"][-1] == 7000.0


def test_where_nobody_called_there_is_nothing_to_draw() -> None:
    with tenant_scope(make_tenant().id):
        found = pulse(NOW)
    assert found["ttfa_p50"] == [None] * HOURS and found["turns"] == [0] * HOURS
