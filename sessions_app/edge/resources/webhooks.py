"""Addresses that a tenant wants told what happens, and how the telling went."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, Field, StringConstraints

from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import Conflict
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import errors
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.permissions import Can
from sessions_app.webhooks import selectors, services
from sessions_app.webhooks.models import EventType, WebhookDelivery, WebhookEndpoint

router = Router(tags=["webhooks"], auth=Key())

Url = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(services.checked_url)]
Description = Annotated[str, StringConstraints(max_length=200)]
Events = Annotated[list[EventType], Field(max_length=len(EventType))]


class WebhookIn(Schema):
    url: Url = Field(description="Begins with https://.")
    description: Description = ""
    events: Events = Field([], description="Which to send; none: all, those that come later too.")


class WebhookChange(Schema):
    url: Url | None = None
    description: Description | None = None
    events: Events | None = None
    enabled: bool | None = None


class WebhookOut(Schema):
    id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_reason: str
    failures: int = Field(description="In a row.")
    first_failure_at: datetime | None = Field(description="Of those.")
    previous_until: datetime | None = Field(description="After a rotation: until when the secret before signs, too.")
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str = Field(description="What messages are signed with, this once: `whsec_…`.")


class DeliveriesWanted(Schema):
    state: Literal["pending", "failed", "delivered", "gave_up"] | None = None


class AttemptOut(Schema):
    at: datetime
    status: int | None = Field(description="Of HTTP; null where nobody answered.")
    error: str
    duration_ms: int


class DeliveryOut(Schema):
    id: str
    event_id: str = Field(description="The message's `webhook-id`.")
    type: str
    state: str = Field(description="pending, failed (will be tried again), delivered, gave_up")
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str
    response: str = Field(description="How the answer's body began.")
    log: list[AttemptOut] = Field(description="The latest attempts, the oldest first.")
    created_at: datetime

    @staticmethod
    def resolve_type(delivery: WebhookDelivery) -> str:
        return delivery.event.type


@router.get("/webhooks", response={200: Page[WebhookOut], **errors()})
@in_scope
def list_webhooks(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    request.auth.need(Can.READ_WEBHOOKS)
    return page_of(WebhookEndpoint.objects.all(), page, "-created_at", "-id")


@router.post("/webhooks", response={201: WebhookMade, **errors(409)})
@in_scope
def create_webhook(request: CalledRequest, body: WebhookIn) -> Status:
    request.auth.need(Can.WRITE_WEBHOOKS)
    tenant = Tenant.objects.get()
    try:
        row, secret = services.create_endpoint(tenant=tenant, **body.dict())
    except services.TooManyEndpoints as error:
        raise Conflict(str(error)) from error
    return Status(201, _made(row, secret))


@router.get("/webhooks/{webhook_id}", response={200: WebhookOut, **errors()})
@in_scope
def read_webhook(request: CalledRequest, webhook_id: str) -> WebhookEndpoint:
    return _webhook(request, webhook_id, Can.READ_WEBHOOKS)


@router.patch("/webhooks/{webhook_id}", response={200: WebhookOut, **errors()})
@in_scope
def change_webhook(request: CalledRequest, webhook_id: str, body: WebhookChange) -> WebhookEndpoint:
    """Turned off, it gives up what still waits; turned on again, it begins with a clean slate."""
    row = _webhook(request, webhook_id, Can.WRITE_WEBHOOKS)
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    return services.change_endpoint(endpoint=row, changes=changes)


@router.delete("/webhooks/{webhook_id}", response={204: None, **errors()})
@in_scope
def delete_webhook(request: CalledRequest, webhook_id: str) -> Status:
    services.delete_endpoint(endpoint=_webhook(request, webhook_id, Can.WRITE_WEBHOOKS))
    return Status(204, None)


@router.post("/webhooks/{webhook_id}/rotate", response={200: WebhookMade, **errors()})
@in_scope
def rotate_webhook_secret(request: CalledRequest, webhook_id: str) -> dict[str, Any]:
    """A new secret. For 24 hours messages carry a signature of the one before as well."""
    row, secret = services.rotate_secret(endpoint=_webhook(request, webhook_id, Can.WRITE_WEBHOOKS))
    return _made(row, secret)


@router.post("/webhooks/{webhook_id}/test", response={202: DeliveryOut, **errors(409)})
@in_scope
def test_webhook(request: CalledRequest, webhook_id: str) -> Status:
    """Sends a `webhook.test`, whatever events were chosen."""
    row = _webhook(request, webhook_id, Can.WRITE_WEBHOOKS)
    try:
        return Status(202, services.send_test(endpoint=row))
    except services.TurnedOff as error:
        raise Conflict(str(error)) from error


@router.get("/webhooks/{webhook_id}/deliveries", response={200: Page[DeliveryOut], **errors()})
@in_scope
def list_webhook_deliveries(
    request: CalledRequest, webhook_id: str, wanted: Query[DeliveriesWanted], page: Query[PageIn]
) -> dict[str, Any]:
    """The newest first. Kept for 30 days."""
    rows = selectors.deliveries(_webhook(request, webhook_id, Can.READ_WEBHOOKS))
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    return page_of(rows, page, "-created_at", "-id")


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", response={202: DeliveryOut, **errors(409)})
@in_scope
def replay_webhook_delivery(request: CalledRequest, webhook_id: str, delivery_id: str) -> Status:
    """Sends the message again, under the same `webhook-id`."""
    row = _webhook(request, webhook_id, Can.WRITE_WEBHOOKS)
    delivery = found(request, selectors.deliveries(row).select_related("endpoint"), Can.WRITE_WEBHOOKS, pk=delivery_id)
    try:
        return Status(202, services.replay(delivery=delivery))
    except services.TurnedOff as error:
        raise Conflict(str(error)) from error


def _webhook(request: CalledRequest, webhook_id: str, can: Can) -> WebhookEndpoint:
    return found(request, WebhookEndpoint.objects.all(), can, pk=webhook_id)


def _made(row: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**WebhookOut.from_orm(row).dict(), "secret": secret}
