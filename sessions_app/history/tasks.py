"""Celery tasks of the history."""

from celery import shared_task

from sessions_app.history import privacy


@shared_task(name="history.forget_old")
def forget_old() -> None:
    """Each hour: sessions that ended longer ago than their tenant keeps them. Twice is once."""
    privacy.forget_old()
