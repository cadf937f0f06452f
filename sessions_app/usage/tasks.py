"""Celery tasks of the usage room."""

from celery import shared_task

from sessions_app.tenants.scope import everyone
from sessions_app.usage import metering


@shared_task(name="usage.roll_up")
def roll_up() -> None:
    """Each minute: today and yesterday, counted anew. Twice is once."""
    with everyone():
        metering.roll_up(metering.open_days())
