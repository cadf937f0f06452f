from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.history.dashboard import figures, percentile, sessions_by_day
from sessions_app.history.services import apply_records
from sessions_app.tenants.scope import everyone, tenant_scope
from tests.fakes.office import make_assistant, make_member, make_session, make_tenant
from tests.sessions_app.history.test_journal import told


@pytest.mark.parametrize(("percent", "value"), [(50, 20), (95, 40), (0, 10), (100, 40)])
def test_a_percentile_is_a_value_that_occurred(percent, value):
    assert percentile([10, 20, 30, 40], percent) == value


def test_of_nothing_there_is_no_percentile():
    assert percentile([], 95) is None


@pytest.mark.django_db
def test_the_overview_counts_the_tenants_own_steady_turns():
    session = make_session(make_assistant(make_tenant()))
    other = make_session(make_assistant(make_tenant()))
    now = timezone.now().timestamp()
    records = [replace(told(session, number=n), started_at=now, timings={"ttfa_ms": 100.0 + n}) for n in range(3)]
    warm = replace(told(session, number=9), started_at=now, warmup=True, timings={"ttfa_ms": 9999.0})
    foreign = replace(told(other), started_at=now, timings={"ttfa_ms": 5000.0})
    apply_records([*records, warm, foreign])
    with tenant_scope(session.tenant_id):
        assert [figure["value"] for figure in figures()] == ["1", "0", "101 ms", "102 ms"]
        assert sessions_by_day()["datasets"][0]["data"][-1] == 1
    with everyone():
        assert sessions_by_day()["datasets"][0]["data"][-1] == 2


@pytest.mark.django_db
def test_the_side_bar_offers_what_the_person_may_open():
    client = Client()
    client.force_login(make_member(make_tenant()))
    text = client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:sessions_app_secretkey_changelist") in text
    assert reverse("admin:sessions_app_soakrun_changelist") not in text
    assert reverse("admin:sessions_app_user_changelist") not in text
