"""What waits in the database, for Prometheus: counted when it is asked for, for the installation as a whole."""

from collections.abc import Iterable
from typing import Final

import structlog
from django.db import DatabaseError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sessions_app.files.models import FileState, StoredFile
from sessions_app.tenants.scope import everyone
from sessions_app.webhooks.models import OPEN, WebhookDelivery, WebhookEndpoint

log = structlog.get_logger(__name__)


class Backlog(Collector):
    def collect(self) -> Iterable[Metric]:
        """Nothing while the database is away: its absence shows elsewhere."""
        try:
            with everyone():
                return [*_webhooks(), *_files()]
        except DatabaseError as error:
            log.warning("backlog_not_counted", error=type(error).__name__)
            return []


def _webhooks() -> Iterable[Metric]:
    waiting = GaugeMetricFamily("goassist_webhook_deliveries", "Messages not delivered yet", labels=["state"])
    rows = WebhookDelivery.objects.filter(state__in=OPEN).order_by()
    counted = dict(rows.values_list("state").annotate(total=Count("pk")))
    for state in OPEN:
        waiting.add_metric([state], counted.get(state, 0))
    now = timezone.now()
    due = rows.filter(next_attempt_at__lte=now, endpoint__enabled=True).aggregate(since=Min("next_attempt_at"))["since"]
    yield waiting
    yield GaugeMetricFamily(
        "goassist_webhook_overdue_seconds",
        "How long the message that has been due longest has been so",
        value=(now - due).total_seconds() if due else 0.0,
    )
    yield GaugeMetricFamily(
        "goassist_webhook_endpoints_disabled",
        "Endpoints that take no messages, by hand or because they failed",
        value=WebhookEndpoint.objects.filter(enabled=False).count(),
    )


def _files() -> Iterable[Metric]:
    moving = GaugeMetricFamily(
        "goassist_files_moving", "Files on their way into the store or out of it", labels=["state"]
    )
    rows = StoredFile.objects.exclude(state=FileState.KEPT).order_by()
    counted = dict(rows.values_list("state").annotate(total=Count("pk")))
    for state in (FileState.COMING, FileState.GOING):
        moving.add_metric([str(state)], counted.get(state, 0))
    yield moving


REGISTRY: Final = CollectorRegistry(auto_describe=False)
REGISTRY.register(Backlog())
