"""Celery tasks of the files."""

from celery import shared_task

from sessions_app.files import services
from sessions_app.tenants.scope import everyone


@shared_task(name="files.sweep")
def sweep() -> None:
    """Each minute: what nobody may see any more. Twice is once."""
    with everyone():
        services.sweep()


@shared_task(name="files.sweep_closed_tenants")
def sweep_closed_tenants() -> None:
    """Each hour: what tenants that are no more have left. Twice is once."""
    with everyone():
        services.sweep_closed_tenants()
