"""Writing: a tenant's endpoints, and the events that go to them."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from sessions_app.outgoing import OutgoingRefused, checked
from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.scope import tenant_scope
from sessions_app.webhooks import notices, signing
from sessions_app.webhooks.models import OPEN, TEST, DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookEvent
from sessions_app.webhooks.nudging import nudge

log = structlog.get_logger(__name__)

MOST: Final = 20
"""Endpoints of one tenant."""
OVERLAP: Final = timedelta(hours=24)
"""So long the secret before still signs, beside the new one."""
KEPT: Final = timedelta(days=30)
BATCH: Final = 500
UNSTORABLE: Final = (DataError, IntegrityError, ValueError, TypeError)
TURNED_OFF: Final = "The webhook was turned off."


class TooManyEndpoints(ValueError):
    """The tenant has as many as it may."""


class TurnedOff(ValueError):
    """Nothing is sent to an endpoint that is disabled."""


def checked_url(text: str) -> str:
    """Raises ValueError in words (OutgoingRefused is one). Plain http only for installations that call networks of
    their own: what is said to an assistant does not cross the internet for everybody to read."""
    url = checked(text)
    if url.scheme == "http" and not (settings.DEBUG or settings.GOASSIST.goassist_outgoing_networks):
        raise OutgoingRefused("Write an address that begins with https://.")
    return text


@transaction.atomic
def create_endpoint(
    *, tenant: Tenant, url: str, description: str = "", events: Iterable[str] = ()
) -> tuple[WebhookEndpoint, str]:
    """The row, and its secret: this is the only moment at which anybody sees it. Raises TooManyEndpoints, and what
    `checked_url` raises."""
    if WebhookEndpoint.objects.filter(tenant=tenant).count() >= MOST:
        raise TooManyEndpoints(f"There are {MOST} webhooks already, which is as many as a tenant may have.")
    secret = signing.new_secret()
    row = WebhookEndpoint.objects.create(
        tenant=tenant, url=checked_url(url), description=description, events=list(events), secret=signing.sealed(secret)
    )
    record("webhook.created", row, tenant_id=tenant.pk, after=fields_of(row))
    return row, secret


@transaction.atomic
def change_endpoint(*, endpoint: WebhookEndpoint, changes: dict[str, Any]) -> WebhookEndpoint:
    """`changes`: any of url, description, events, enabled. One that is turned on again begins with a clean slate; what
    waited for one that is turned off is given up. Raises what `checked_url` raises."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    before = fields_of(row)
    for name, value in changes.items():
        setattr(row, name, checked_url(value) if name == "url" else value)
    if row.enabled and not before["enabled"]:
        row.disabled_reason, row.failures, row.first_failure_at = "", 0, None
    elif before["enabled"] and not row.enabled:
        row.disabled_reason = "Turned off by hand."
        give_up(row, TURNED_OFF)
    row.save()
    if fields_of(row) != before:
        record("webhook.changed", row, tenant_id=row.tenant_id, before=before, after=fields_of(row))
    return row


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """With its deliveries."""
    record("webhook.deleted", endpoint, tenant_id=endpoint.tenant_id, before=fields_of(endpoint))
    endpoint.delete()


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint) -> tuple[WebhookEndpoint, str]:
    """A new secret, seen this once. For OVERLAP messages carry a signature of the one before as well."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    before, secret = fields_of(row), signing.new_secret()
    row.previous_secret, row.previous_until = row.secret, timezone.now() + OVERLAP
    row.secret = signing.sealed(secret)
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    record("webhook.rotated", row, tenant_id=row.tenant_id, before=before, after=fields_of(row))
    return row, secret


def disable(endpoint: WebhookEndpoint, reason: str) -> None:
    """By ourselves, in words: an entry in the tenant's audit log, and a mail to those who can mend it, once the
    transaction is through. `endpoint`: a row that the caller has locked."""
    before = fields_of(endpoint)
    endpoint.enabled, endpoint.disabled_reason = False, reason
    endpoint.save(update_fields=["enabled", "disabled_reason"])
    give_up(endpoint, reason)
    record("webhook.disabled", endpoint, tenant_id=endpoint.tenant_id, before=before, after=fields_of(endpoint))
    tenant_id = endpoint.tenant_id

    def tell() -> None:
        with tenant_scope(tenant_id):
            notices.disabled(endpoint, reason)

    transaction.on_commit(tell)


def give_up(endpoint: WebhookEndpoint, reason: str) -> None:
    """What still waits for it."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state__in=OPEN)
    waiting.update(state=DeliveryState.GAVE_UP, next_attempt_at=None, claimed_until=None, last_error=reason)


def emit(tenant_id: UUID, kind: str, data: Callable[[], dict[str, Any]], about: str = "") -> None:
    """Tells the tenant's endpoints that chose this kind of event, once the transaction is through. `data` is asked for
    only if there are any. `about`: the session whose words it may hold.

    Costs one query where nobody listens. What cannot be told is logged, and harms nothing of what it tells of; an error
    of the database itself is raised.
    """
    endpoints = WebhookEndpoint.objects.filter(tenant_id=tenant_id, enabled=True)
    wanted = [endpoint for endpoint in endpoints if not endpoint.events or kind in endpoint.events]
    if not wanted:
        return
    try:
        with transaction.atomic():
            _written(tenant_id, kind, data(), wanted, about)
    except UNSTORABLE as error:
        log.error("webhook_event_lost", kind=kind, error=type(error).__name__)  # noqa: TRY400 (it may hold words)


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """To this one alone, whatever it chose. Raises TurnedOff."""
    _must_be_on(endpoint)
    data = {"webhook_id": endpoint.pk, "message": "It works."}
    return _written(endpoint.tenant_id, TEST, data, [endpoint])[0]


@transaction.atomic
def replay(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """The same message again, under the same `webhook-id`, with all its attempts before it. Raises TurnedOff."""
    _must_be_on(delivery.endpoint)
    delivery.state, delivery.attempts = DeliveryState.PENDING, 0
    delivery.next_attempt_at, delivery.claimed_until = timezone.now(), None
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "claimed_until"])
    record("webhook.replayed", delivery, tenant_id=delivery.tenant_id)
    transaction.on_commit(nudge)
    return delivery


def forget(about: Iterable[str]) -> None:
    """What was told of these sessions goes with them."""
    WebhookEvent.objects.filter(about__in=list(about)).delete()


def forget_old() -> int:
    """Events older than KEPT, with their deliveries; returns how many. In the scope of everyone."""
    gone = 0
    old = WebhookEvent.objects.filter(created_at__lt=timezone.now() - KEPT)
    while some := list(old.values_list("pk", flat=True)[:BATCH]):
        WebhookEvent.objects.filter(pk__in=some).delete()
        gone += len(some)
    return gone


def written(moment: datetime) -> str:
    """As messages have it: RFC 3339, UTC, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _must_be_on(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise TurnedOff("This webhook is disabled. Enable it first.")


def _written(
    tenant_id: UUID, kind: str, data: dict[str, Any], endpoints: list[WebhookEndpoint], about: str = ""
) -> list[WebhookDelivery]:
    now = timezone.now()
    told = {"type": kind, "timestamp": written(now), "data": data}
    event = WebhookEvent.objects.create(
        tenant_id=tenant_id, type=kind, about=about, created_at=now,
        payload=json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    )  # fmt: skip
    transaction.on_commit(nudge)
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(tenant_id=tenant_id, endpoint=endpoint, event=event, created_at=now, next_attempt_at=now)
        for endpoint in endpoints
    )
