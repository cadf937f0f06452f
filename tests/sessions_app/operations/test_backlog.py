"""What waits in the database, as Prometheus reads it."""

from datetime import timedelta
from typing import Any

import prometheus_client
import pytest
from django.db import DatabaseError
from django.utils import timezone

from sessions_app.files.models import FileState, Purpose, StoredFile
from sessions_app.operations import backlog
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks.models import WebhookDelivery
from sessions_app.webhooks.services import create_endpoint, send_test
from tests.fakes.office import make_tenant
from tests.house.tree import names, rows, section

pytestmark = pytest.mark.django_db


def read() -> dict[str, float]:
    text = prometheus_client.generate_latest(backlog.REGISTRY).decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_an_empty_house_has_nothing_waiting() -> None:
    assert set(read().values()) == {0.0}


def test_messages_and_files_that_wait_are_counted_over_all_tenants() -> None:
    for number in (1, 2):
        tenant = make_tenant()
        with tenant_scope(tenant.id):
            endpoint, _ = create_endpoint(tenant=tenant, url="https://hooks.example/")
            send_test(endpoint=endpoint)
            kind: dict[str, Any] = {"purpose": Purpose.RECORDING, "content_type": "audio/ogg"}
            StoredFile.objects.create(tenant=tenant, name="a", state=FileState.GOING, **kind)
            if number == 2:
                WebhookDelivery.objects.update(state="failed", next_attempt_at=timezone.now() - timedelta(minutes=5))
                quiet, _ = create_endpoint(tenant=tenant, url="https://off.example/")
                type(quiet).objects.filter(pk=quiet.pk).update(enabled=False)
    told = read()
    assert told['goassist_webhook_deliveries{state="pending"}'] == 1
    assert told['goassist_webhook_deliveries{state="failed"}'] == 1
    assert 300 <= told["goassist_webhook_overdue_seconds"] < 330
    assert told["goassist_webhook_endpoints_disabled"] == 1
    assert told['goassist_files_moving{state="going"}'] == 2
    with everyone():
        WebhookDelivery.objects.update(state="delivered", next_attempt_at=None)
    assert read()["goassist_webhook_overdue_seconds"] == 0


def test_while_the_database_is_away_the_page_has_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(backlog, "_webhooks", away)
    assert read() == {}


def test_the_metrics_page_has_them_and_the_docs_list_them(client: Any) -> None:
    page = client.get("/metrics").content.decode()
    documented = {names(row[0])[0] for row in rows(section("docs/metrics.md", "The web process"))}
    assert documented == {name.partition("{")[0] for name in read()}
    assert all(f"# TYPE {name} gauge" in page for name in documented)
    assert "goassist_django_http_requests_total" in page or "python_info" in page
