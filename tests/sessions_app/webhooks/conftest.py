"""A tenant with a webhook, and somebody who receives."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from sessions_app import outgoing
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks import delivery, services
from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.fakes.office import make_tenant
from tests.fakes.receiver import Receiver


class Clock:
    """What `timezone.now` says."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **spans: float) -> None:
        self.now += timedelta(**spans)


class Hook:
    """An endpoint at the receiver, with its secret."""

    def __init__(self, tenant: Tenant, url: str, **fields: Any) -> None:
        self.tenant = tenant
        with tenant_scope(tenant.id):
            self.row, self.secret = services.create_endpoint(tenant=tenant, url=url, **fields)

    @property
    def now(self) -> WebhookEndpoint:
        with everyone():
            return WebhookEndpoint.objects.get(pk=self.row.pk)

    @property
    def deliveries(self) -> list[WebhookDelivery]:
        with everyone():
            rows = WebhookDelivery.objects.filter(endpoint=self.row).select_related("event", "endpoint")
            return list(rows.order_by("created_at"))

    @property
    def delivery(self) -> WebhookDelivery:
        (only,) = self.deliveries
        return only

    def emit(self, kind: str = "session.started", **data: Any) -> None:
        with tenant_scope(self.tenant.id):
            services.emit(self.tenant.id, kind, lambda: data)


def deliver() -> int:
    """What is due, one after the other, in this thread; how many attempts it took."""
    count = 0
    while claims := delivery.claim(32):
        for one in claims:
            delivery.attempt(one)
        count += len(claims)
    return count


@pytest.fixture(autouse=True)
def own_network(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator has let this machine's loopback in."""
    monkeypatch.setattr(outgoing, "_allowed_networks", lambda: [ip_network("127.0.0.1")])
    settings.DEBUG = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(timezone, "now", one)
    return one


@pytest.fixture
def hook(db: Any, receiver: Receiver) -> Hook:
    return Hook(make_tenant(), receiver.url)
