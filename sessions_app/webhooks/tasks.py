"""Celery tasks of the webhooks. They begin work that goes on in threads (`senders`)."""

from celery import shared_task

from sessions_app.tenants.scope import everyone
from sessions_app.webhooks import services
from sessions_app.webhooks.senders import senders


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """When something was just written. Twice is once."""
    senders.deliver_due()


@shared_task(name="webhooks.deliver_due")
def deliver_due() -> None:
    """Each 5 s: what failed before and is due again, and what nobody was told of."""
    senders.deliver_due()


@shared_task(name="webhooks.forget_old")
def forget_old() -> None:
    """Each hour: deliveries that are kept no longer."""
    with everyone():
        services.forget_old()
