"""Celery tasks of the history."""

from celery import shared_task

from sessions_app.history import privacy, recordings


@shared_task(name="history.forget_old")
def forget_old() -> None:
    """Each hour: sessions and recordings that are older than their tenant keeps them. Twice is once."""
    privacy.forget_old()
    recordings.forget_old()
