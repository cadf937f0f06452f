"""Reading: how deliveries went."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from sessions_app.webhooks.models import WebhookDelivery, WebhookEndpoint


def deliveries(endpoint: WebhookEndpoint) -> "QuerySet[WebhookDelivery]":
    """With what each is of."""
    rows: QuerySet[WebhookDelivery] = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")
    return rows


def tenants_listening(tenants: Iterable[UUID]) -> set[UUID]:
    """Those of them that have an endpoint which takes messages. In one query, for a batch of what might be told."""
    rows = WebhookEndpoint.objects.filter(tenant__in=list(tenants), enabled=True)
    return set(rows.order_by().values_list("tenant_id", flat=True))
