"""The degradation level over time, and an overview that is counted once for all who look."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline.contracts.wire import Report
from sessions_app import switchboard
from sessions_app.history.pulse import pulse
from sessions_app.operations import levels, overview
from sessions_app.operations.models import LevelSample
from sessions_app.operations.tasks import sample_level
from sessions_app.tenants.permissions import Who
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.standing import Standing
from tests.fakes.office import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    overview._shared.clear()


def stands(monkeypatch: pytest.MonkeyPatch, *worker_levels: int) -> None:
    reports = [Report(f"w{n}", "default", at, "", True, False, 0, 8, 0.4, None) for n, at in enumerate(worker_levels)]
    monkeypatch.setattr(switchboard, "muster_from_anywhere", lambda: reports)


def test_the_highest_level_of_a_minute_is_written_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stands(monkeypatch, 0, 3, 1)
    sample_level()
    stands(monkeypatch, 2)
    sample_level()
    samples = list(LevelSample.objects.values_list("level", "workers"))
    assert samples in ([(2, 1)], [(2, 1), (3, 3)]), "one a minute, the latest word counts"


def test_where_nobody_answers_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stands(monkeypatch)
    sample_level()
    assert not LevelSample.objects.exists()


def test_old_samples_go(monkeypatch: pytest.MonkeyPatch) -> None:
    LevelSample.objects.create(at=timezone.now() - timedelta(days=9), level=1, workers=1)
    stands(monkeypatch, 0)
    sample_level()
    assert LevelSample.objects.count() == 1


def test_each_hour_tells_its_highest_and_gaps_are_gaps() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for back, minute, level in ((0, 0, 1), (2, 5, 0), (2, 6, 4), (2, 7, 2), (30, 0, 5)):
        at = hour - timedelta(hours=back) + timedelta(minutes=minute)
        LevelSample.objects.create(at=at, level=level, workers=1)
    with everyone():
        told = levels.by_hour(pulse()["hours"])
    assert told[-3:] == [4, None, 1]
    assert set(told[:-3]) == {None}


def test_operators_see_levels_and_tenants_do_not() -> None:
    tenant = make_tenant()
    with everyone():
        assert len(overview.now(Standing(Who.OPERATOR), ask_workers=False)["pulse"]["level"]) == 24
    with tenant_scope(tenant.id):
        assert "level" not in overview.now(Standing(Who.OWNER, tenant))["pulse"]


def test_who_looks_at_the_same_rows_shares_the_counting_and_nobody_else_does() -> None:
    one, other = make_tenant(), make_tenant()
    with tenant_scope(one.id):
        first = overview.shared(Standing(Who.OWNER, one))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert overview.shared(Standing(Who.VIEWER, one)) is first
        assert len(queries) == 0
    with tenant_scope(other.id):
        assert overview.shared(Standing(Who.OWNER, other)) is not first
    with tenant_scope(one.id):
        assert overview.shared(Standing(Who.OWNER, one), lifetime_s=0.0) is not first
    assert len(overview._shared) == 1, "what nobody asked for lately is not kept"


def test_a_slow_count_keeps_nobody_waiting_who_looks_at_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, counts = threading.Event(), threading.Event(), list[str]()

    def slowly(here: Standing) -> dict[str, Any]:
        counts.append(str(here.who))
        if here.who == Who.OPERATOR:
            begun.set()
            go_on.wait(5)
        return {"who": here.who}

    monkeypatch.setattr(overview, "now", slowly)

    def operators() -> None:
        with everyone():
            overview.shared(Standing(Who.OPERATOR))

    looking = [threading.Thread(target=operators) for _ in range(3)]
    looking[0].start()
    assert begun.wait(5)
    for one in looking[1:]:
        one.start()
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        assert overview.shared(Standing(Who.OWNER, tenant)) == {"who": Who.OWNER}, "it waited for the operator's"
    go_on.set()
    for one in looking:
        one.join(5)
    assert counts == ["operator", "owner"], "counted once for the three operators"
