"""A soak run's life: claimed once, listened to, stopped, swept when its process died; its key never outlives it."""

import json
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.worker import state as celery_worker
from django.utils import timezone

from sessions_app.operations import services, soak, tasks
from sessions_app.operations.models import RunState, SoakRun
from sessions_app.tenants.models import SecretKey
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.selectors import principal_for_key
from tests.fakes.office import make_assistant, make_tenant
from tests.fakes.soak import FIELDS, report

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(seconds=services.SILENT_S + 1)
PROGRAM = """
import json, os, pathlib, signal, sys
key, report, heard = os.environ["GOASSIST_SOAK_KEY"], pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
def tell(**message):
    print(json.dumps(message), flush=True)
def stop(*_):
    report.write_text(json.dumps({"verdict": "stopped", "stopped": True}))
    sys.exit(1)
signal.signal(signal.SIGTERM, stop)
heard.write_text(key)
"""


@pytest.fixture(autouse=True)
def a_data_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def run() -> SoakRun:
    with everyone():
        return services.begin_run(assistant=make_assistant(make_tenant()), by=None, fields=FIELDS)


@pytest.fixture
def heard_key(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, heard_key: Path) -> Any:
    """Puts a small program in the place of `pipeline.soak`: it gets the key as that does, and writes a report."""

    def put(body: str) -> None:
        text = PROGRAM + textwrap.dedent(body)
        monkeypatch.setattr(soak, "command", lambda run, path: [sys.executable, "-c", text, str(path), str(heard_key)])

    return put


def test_the_command_is_the_one_for_the_shell_and_carries_no_key(run: SoakRun) -> None:
    words = soak.command(run, Path("kept.json"))
    assert words[1:5] == ["-m", "pipeline.soak", "--url", FIELDS["url"]]
    assert words[-2:] == ["--metrics-url", FIELDS["metrics_urls"][0]]
    assert not any("sk_" in word or word == "--key" for word in words)


def test_a_run_tells_its_progress_and_leaves_its_report(run: SoakRun, program: Any, tmp_path: Path) -> None:
    program(f"""
        tell(type="progress", turns=3)
        tell(type="series", points=[{{"t_s": 0.0}}])
        print("not JSON", flush=True)
        report.write_text({json.dumps(report())!r})
    """)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.verdict, run.trouble, run.slot) == (RunState.FINISHED, "pass", "", None)
    assert run.report["turns"] == 12
    assert run.started_at <= run.ended_at
    assert list((tmp_path / "soak").iterdir()) == []


def test_delivered_twice_it_runs_once(run: SoakRun, program: Any, heard_key: Path) -> None:
    program('report.write_text(json.dumps({"verdict": "pass"}))')
    tasks.run_soak(str(run.pk))
    heard_key.unlink()
    tasks.run_soak(str(run.pk))
    assert not heard_key.exists()


@pytest.mark.parametrize(
    "end",
    ['report.write_text(json.dumps({"verdict": "pass"}))', "sys.exit(2)", "os.kill(os.getpid(), signal.SIGKILL)",
     "raise ValueError('it broke')"],
    ids=["well", "refused", "killed", "broken"],
)  # fmt: skip
def test_the_runs_key_works_while_it_runs_and_never_afterwards(
    run: SoakRun, program: Any, heard_key: Path, end: str
) -> None:
    program(end)
    tasks.run_soak(str(run.pk))
    key = heard_key.read_text()
    assert key.startswith("sk_")
    assert principal_for_key(key) is None
    with everyone():
        assert SecretKey.objects.get(label=f"Soak run {run.pk}").revoked_at is not None


def test_a_key_is_revoked_when_our_own_code_breaks_too(
    run: SoakRun, program: Any, heard_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> bool:
        raise RuntimeError("the database is away")

    program('tell(type="progress")\nsignal.pause()')
    monkeypatch.setattr(services, "note_progress", broken)
    with pytest.raises(RuntimeError):
        tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert principal_for_key(heard_key.read_text()) is None


def test_without_a_report_the_last_words_tell_why(run: SoakRun, program: Any) -> None:
    program('print("soak: give the secret key", file=sys.stderr)\nsys.exit(2)')
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.trouble) == (RunState.FAILED, "give the secret key")


def test_stop_ends_the_process_and_keeps_its_report(
    run: SoakRun, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program('tell(type="progress", turns=1)\nsignal.pause()')
    monkeypatch.setattr(soak, "NOTE_EVERY_S", 0.05)
    note = services.note_progress

    def note_and_ask(**noted: Any) -> bool:
        if noted["progress"]:
            services.ask_stop(run=run)
        return note(**noted)

    monkeypatch.setattr(services, "note_progress", note_and_ask)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.verdict) == (RunState.STOPPED, "stopped")


def test_a_worker_that_closes_takes_the_run_with_it(
    run: SoakRun, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("signal.pause()")
    monkeypatch.setattr(soak, "NOTE_EVERY_S", 0.5)
    monkeypatch.setattr(celery_worker, "should_stop", 0)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert not run.going


def test_a_process_that_will_not_stop_is_killed(run: SoakRun, program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program('signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntell(type="progress")\nwhile True: signal.pause()')
    monkeypatch.setattr(soak, "NOTE_EVERY_S", 0.5)
    monkeypatch.setattr(soak, "STOP_LIMIT_S", 0.1)
    monkeypatch.setattr(services, "note_progress", lambda **_: False)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert run.trouble == "The run did not end in time and was killed."


def test_one_run_at_a_time(run: SoakRun) -> None:
    with everyone(), pytest.raises(services.RunGoing, match="still going"):
        services.begin_run(assistant=run.assistant, by=None, fields=FIELDS)
    services.ask_stop(run=run)
    with everyone():
        assert services.begin_run(assistant=run.assistant, by=None, fields=FIELDS).going


def test_a_run_stopped_before_it_began_never_begins(run: SoakRun, program: Any, heard_key: Path) -> None:
    program("")
    services.ask_stop(run=run)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.trouble) == (RunState.STOPPED, "Stopped before it began.")
    assert not heard_key.exists()


@pytest.mark.parametrize(("begun", "trouble"), [(False, "No Celery worker took the run."), (True, "has died")])
def test_the_sweep_fails_a_run_that_nobody_hears_of(run: SoakRun, begun: bool, trouble: str) -> None:
    with everyone():
        key = services.give_key(run=run, tenant=run.assistant.tenant)
    if begun:
        services.claim_run(run_id=run.pk)
    tasks.sweep_soak_runs()
    run.refresh_from_db()
    assert run.going
    SoakRun.objects.filter(pk=run.pk).update(heard_at=timezone.now() - LONG_AGO)
    tasks.sweep_soak_runs()
    run.refresh_from_db()
    assert (run.state, run.slot) == (RunState.FAILED, None)
    assert trouble in run.trouble
    assert principal_for_key(key) is None


def test_what_comes_after_the_sweep_changes_nothing_but_is_told_to_stop(run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    SoakRun.objects.filter(pk=run.pk).update(heard_at=timezone.now() - LONG_AGO)
    tasks.sweep_soak_runs()
    assert not services.note_progress(run=run, progress={"turns": 1}, series=None)
    with everyone():
        services.end_run(run=run, report=report())
    run.refresh_from_db()
    assert (run.state, run.report) == (RunState.FAILED, {})


def test_a_run_whose_assistant_is_gone_says_so(run: SoakRun) -> None:
    SoakRun.objects.filter(pk=run.pk).update(assistant=None)
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.trouble) == (RunState.FAILED, "The assistant is gone.")


def test_a_wrong_address_fails_in_the_words_of_the_real_program(run: SoakRun) -> None:
    """The real `pipeline.soak`."""
    SoakRun.objects.filter(pk=run.pk).update(url="nowhere")
    tasks.run_soak(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.trouble) == (RunState.FAILED, "--url must begin with http:// or https://")
