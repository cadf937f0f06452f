"""Celery tasks of the operations room."""

from celery import shared_task

from sessions_app.operations import idempotency, levels, services, soak
from sessions_app.tenants.scope import everyone


@shared_task(name="operations.run_soak")
def run_soak(run_id: str) -> None:
    """Takes as long as the run does. Delivered twice, it runs once."""
    with everyone():
        run = services.claim_run(run_id=run_id)
        if run is not None:
            soak.carry_out(run)


@shared_task(name="operations.sweep_soak_runs")
def sweep_soak_runs() -> None:
    """Each 30 s: no run is 'running' for ever."""
    with everyone():
        services.sweep_runs()


@shared_task(name="operations.reap_sessions")
def reap_sessions() -> None:
    """Each 30 s: a session whose worker and visitor are both gone is not live."""
    with everyone():
        services.reap_sessions()


@shared_task(name="operations.sample_level")
def sample_level() -> None:
    """Each minute: how hard the workers are pressed. Twice in a minute is once."""
    levels.sample()


@shared_task(name="operations.forget_answers")
def forget_answers() -> None:
    """Each hour: answers that may no longer be asked for again."""
    with everyone():
        idempotency.forget_old()
