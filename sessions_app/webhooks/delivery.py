"""One message on its way: claimed by one sender, sent, and how it went written down.

At least once: whoever claims a delivery has until `claimed_until`; one that died leaves it to the next, and the
receiver may see a message twice, under the same `webhook-id`. No transaction is open while the receiver is waited for.
"""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from sessions_app import outgoing
from sessions_app.outgoing import OutgoingFailed, OutgoingRefused
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.webhooks import signing
from sessions_app.webhooks.models import OPEN, DeliveryState, WebhookDelivery, WebhookEndpoint
from sessions_app.webhooks.schedule import next_attempt
from sessions_app.webhooks.services import disable
from sessions_app.webhooks.signing import SecretLost

TIMEOUT_S: Final = 15.0
CLAIM: Final = timedelta(seconds=120)
"""Well beyond the time-out: names take time to look up, and so does a busy database."""
EACH: Final = 2
"""Messages on their way to one endpoint at a time, over all processes: a slow one fills no more senders."""
EACH_TENANT: Final = 8
HOPELESS: Final = timedelta(days=5)
"""After so long with failures only an endpoint is disabled."""
LOG_ROWS: Final = 20
RESPONSE_CHARS: Final = 1000
AGENT: Final = "GoAssist-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Claim:
    delivery_id: str
    tenant_id: UUID
    until: datetime
    """Also the sign that it is still ours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    response: str = ""
    retry_after: str = ""


def claim(most: int) -> list[Claim]:
    """Up to `most` deliveries that are due, the longest-waiting endpoint first, EACH of an endpoint at most."""
    now, claimed = timezone.now(), list[Claim]()
    with everyone():
        busy = _claimed(now).values_list("endpoint", "endpoint__tenant").annotate(count=Count("pk")).order_by()
        by_endpoint, by_tenant = Counter[str](), Counter[UUID]()
        for endpoint_id, tenant_id, count in busy:
            by_endpoint[endpoint_id] += count
            by_tenant[tenant_id] += count
        waiting = _due(now).values_list("endpoint", "endpoint__tenant").annotate(since=Min("next_attempt_at"))
        for endpoint_id, tenant_id, _ in waiting.order_by("since"):
            room = min(most - len(claimed), EACH - by_endpoint[endpoint_id], EACH_TENANT - by_tenant[tenant_id])
            if room > 0:
                found = _claim_of(endpoint_id, room, now)
                claimed += found
                by_tenant[tenant_id] += len(found)
    return claimed


@transaction.atomic
def _claim_of(endpoint_id: str, room: int, now: datetime) -> list[Claim]:
    """Its row is the lock: two claimers at once would each see no message under way."""
    locked = WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=endpoint_id)
    endpoint = locked.filter(enabled=True).first()
    if endpoint is None:
        return []
    room = min(room, EACH - _claimed(now).filter(endpoint=endpoint).count())
    ids = list(_due(now).filter(endpoint=endpoint).order_by("next_attempt_at").values_list("pk", flat=True)[:room])
    until = now + CLAIM
    WebhookDelivery.objects.filter(pk__in=ids).update(claimed_until=until)
    return [Claim(pk, endpoint.tenant_id, until) for pk in ids]


def _due(now: datetime) -> "QuerySet[WebhookDelivery]":
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return WebhookDelivery.objects.filter(free, state__in=OPEN, next_attempt_at__lte=now, endpoint__enabled=True)


def _claimed(now: datetime) -> "QuerySet[WebhookDelivery]":
    return WebhookDelivery.objects.filter(state__in=OPEN, claimed_until__gt=now)


def attempt(one: Claim) -> None:
    """Sends what was claimed, and writes down how it went; nothing when it is not ours any more."""
    with tenant_scope(one.tenant_id):
        rows = WebhookDelivery.objects.select_related("endpoint", "event")
        delivery = rows.filter(pk=one.delivery_id, claimed_until=one.until).first()
        if delivery is not None:
            settle(one, _sent(delivery))


def _sent(delivery: WebhookDelivery) -> Outcome:
    endpoint, event, now, began = delivery.endpoint, delivery.event, timezone.now(), time.monotonic()

    def ended(**told: Any) -> Outcome:
        return Outcome(now, round((time.monotonic() - began) * 1000), **told)

    try:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            **signing.headers(endpoint, event.pk, event.payload, now),
        }
        content = event.payload.encode()
        answer = outgoing.send("POST", endpoint.url, headers=headers, content=content, timeout_s=TIMEOUT_S)
    except (OutgoingRefused, OutgoingFailed, SecretLost) as failure:
        return ended(error=str(failure)[:300])
    text = answer.body[:RESPONSE_CHARS].decode("utf-8", "replace").replace("\0", "")
    error = "" if 200 <= answer.status < 300 else _in_words(answer.status)
    return ended(status=answer.status, error=error, response=text, retry_after=answer.headers.get("retry-after", ""))


def _in_words(status: int) -> str:
    if 300 <= status < 400:
        return f"Answered {status}: redirects are not followed."
    try:
        return f"Answered {status} {HTTPStatus(status).phrase}."
    except ValueError:
        return f"Answered {status}."


@transaction.atomic
def settle(one: Claim, outcome: Outcome) -> None:
    """Nothing when the claim ran out and somebody else has it, or the delivery was given up meanwhile. In scope."""
    delivery = WebhookDelivery.objects.filter(pk=one.delivery_id).first()
    if delivery is None:
        return
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint_id)
    ours = WebhookDelivery.objects.select_for_update().filter(pk=one.delivery_id, claimed_until=one.until)
    delivery = ours.first()
    if delivery is None:
        return
    _note(delivery, outcome)
    if not outcome.error:
        delivery.state = DeliveryState.DELIVERED
        _arrived(endpoint)
    elif outcome.status == HTTPStatus.GONE:
        delivery.state = DeliveryState.GAVE_UP
    else:
        delivery.next_attempt_at = next_attempt(delivery.attempts, outcome.at, outcome.retry_after)
        delivery.state = DeliveryState.FAILED if delivery.next_attempt_at else DeliveryState.GAVE_UP
    delivery.save()
    if outcome.error:
        _missed(endpoint, outcome)


def _note(delivery: WebhookDelivery, outcome: Outcome) -> None:
    delivery.attempts += 1
    delivery.next_attempt_at = delivery.claimed_until = None
    delivery.last_attempt_at, delivery.last_status = outcome.at, outcome.status
    delivery.last_error, delivery.response = outcome.error, outcome.response
    delivery.duration_ms = outcome.duration_ms
    told = {"at": outcome.at.isoformat(), "status": outcome.status, "error": outcome.error}
    delivery.log = [*delivery.log, {**told, "duration_ms": outcome.duration_ms}][-LOG_ROWS:]


def _arrived(endpoint: WebhookEndpoint) -> None:
    if endpoint.failures:
        endpoint.failures, endpoint.first_failure_at = 0, None
        endpoint.save(update_fields=["failures", "first_failure_at"])


def _missed(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    endpoint.failures += 1
    endpoint.first_failure_at = endpoint.first_failure_at or outcome.at
    endpoint.save(update_fields=["failures", "first_failure_at"])
    if not endpoint.enabled:
        return
    if outcome.status == HTTPStatus.GONE:
        disable(endpoint, "The receiver answered 410 Gone: it wants no more.")
    elif outcome.at - endpoint.first_failure_at >= HOPELESS:
        disable(endpoint, f"Nothing has arrived for {HOPELESS.days} days.")
