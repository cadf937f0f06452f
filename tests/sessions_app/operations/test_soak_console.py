"""The soak pages of the console: operators alone, one run at a time, polled and kept."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.operations import services, tasks
from sessions_app.operations.models import SoakRun
from sessions_app.tenants.models import Role, User
from sessions_app.tenants.scope import everyone
from tests.fakes.office import make_assistant, make_member, make_operator, make_tenant, signed_in
from tests.fakes.soak import FIELDS, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def assistant() -> Any:
    return make_assistant(make_tenant("Riverside"))


@pytest.fixture
def run(assistant: Any) -> SoakRun:
    with everyone():
        return services.begin_run(assistant=assistant, by=None, fields=FIELDS)


@pytest.fixture
def operator() -> Client:
    return signed_in(make_operator())


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the runs that Celery was given."""
    given: list[str] = []
    monkeypatch.setattr(tasks.run_soak, "delay", given.append)
    return given


def pages(run_id: object) -> list[str]:
    """Every address of the soak pages."""
    own = [reverse(f"admin:sessions_app_soakrun_{view}", args=[run_id]) for view in ("change", "delete", "history")]
    own += [reverse(f"admin:soakrun_{view}", args=[run_id]) for view in ("now", "stop", "report")]
    lists = [reverse(f"admin:sessions_app_soakrun_{view}") for view in ("changelist", "add")]
    return [*own, *lists, f"{reverse('admin:soakrun_compare')}?run={run_id}"]


def form(assistant: Any, /, **changes: Any) -> dict[str, Any]:
    asked = {"assistant": assistant.pk, "callers": 2, "minutes": 1, "duty": 0.5, "url": "http://127.0.0.1:8000/"}
    return {**asked, "metrics_urls": "http://127.0.0.1:8000/metrics\n\nhttp://127.0.0.1:9101/metrics", **changes}


ADD = "admin:sessions_app_soakrun_add"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("role", list(Role))
def test_no_role_in_a_tenant_opens_any_soak_page(run: SoakRun, method: str, role: Role) -> None:
    with everyone():
        client = signed_in(make_member(run.assistant.tenant, role))
    for run_id in (run.pk, uuid.uuid4()):
        for page in pages(run_id):
            assert getattr(client, method)(page).status_code in {403, 404}, page
    run.refresh_from_db()
    assert run.stop_asked_at is None


def test_a_stranger_is_sent_to_the_door(run: SoakRun) -> None:
    for page in pages(run.pk):
        answer = Client().get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))


def test_staff_without_a_tenant_see_no_runs(run: SoakRun) -> None:
    client = signed_in(User.objects.create_user("nobody@example.com", "a long word", is_staff=True))
    assert {client.get(page).status_code for page in pages(run.pk)} <= {403, 404}


def test_a_run_that_is_not_there_is_404_for_operators(operator: Client) -> None:
    nowhere = uuid.uuid4()
    views = ("now", "stop", "report")
    assert operator.get(reverse("admin:sessions_app_soakrun_change", args=[nowhere])).status_code == 404
    assert {operator.get(reverse(f"admin:soakrun_{view}", args=[nowhere])).status_code for view in views} == {404}
    assert operator.get(f"{reverse('admin:soakrun_compare')}?run=nonsense").status_code == 404


def test_start_makes_a_run_and_hands_it_to_celery(
    operator: Client, assistant: Any, handed_on: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.post(reverse(ADD), form(assistant))
    run = SoakRun.objects.get()
    assert answer["Location"] == reverse("admin:sessions_app_soakrun_change", args=[run.pk])
    assert handed_on == [str(run.pk)]
    assert (run.callers, run.minutes, run.duty, run.url) == (2, 1.0, 0.5, "http://127.0.0.1:8000")
    assert run.metrics_urls == ["http://127.0.0.1:8000/metrics", "http://127.0.0.1:9101/metrics"]
    assert run.started_by is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("callers", 0), ("callers", 501), ("minutes", 0.1), ("duty", 0), ("duty", 1.1), ("url", "ftp://there"),
     ("url", "http://"), ("metrics_urls", "javascript:alert(1)"), ("assistant", "")],
)  # fmt: skip
def test_the_form_refuses_what_no_run_can_do(
    operator: Client, assistant: Any, handed_on: list[str], field: str, value: Any
) -> None:
    answer = operator.post(reverse(ADD), form(assistant, **{field: value}))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not SoakRun.objects.exists()
    assert handed_on == []


def test_a_second_start_while_one_goes_is_refused_in_words(
    operator: Client, run: SoakRun, handed_on: list[str]
) -> None:
    with everyone():
        answer = operator.post(reverse(ADD), form(run.assistant))
    assert "Another soak run is still going" in answer.content.decode()
    assert SoakRun.objects.count() == 1
    assert handed_on == []


def test_two_starts_at_the_same_moment_make_one_run(
    operator: Client, run: SoakRun, handed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form of the second saw none going; the database refuses it."""
    monkeypatch.setattr("sessions_app.operations.forms.GOING", ())
    with everyone():
        answer = operator.post(reverse(ADD), form(run.assistant), follow=True)
    assert "Another soak run is still going" in answer.content.decode()
    assert SoakRun.objects.count() == 1


def test_polling_tells_how_the_run_goes(operator: Client, run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    run.refresh_from_db()
    services.note_progress(run=run, progress={"turns": 7}, series=[{"t_s": 0.0}])
    now = operator.get(reverse("admin:soakrun_now", args=[run.pk])).json()
    assert (now["state"], now["going"], now["stopping"]) == ("running", True, False)
    assert now["progress"] == {"turns": 7}
    assert now["series"] == [{"t_s": 0.0}]


def test_stop_is_asked_by_post_only(operator: Client, run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    stop = reverse("admin:soakrun_stop", args=[run.pk])
    operator.get(stop)
    run.refresh_from_db()
    assert run.stop_asked_at is None
    operator.post(stop)
    assert operator.get(reverse("admin:soakrun_now", args=[run.pk])).json()["stopping"]


def test_a_kept_report_is_a_page_a_file_and_a_column_beside_others(operator: Client, run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    with everyone():
        services.end_run(run=run, report=report(verdict="fail", failures=3))
    text = operator.get(reverse("admin:sessions_app_soakrun_change", args=[run.pk])).content.decode()
    assert "Verdict against the voice contract" in text
    assert "TTFA p95, at the caller" in text
    assert "the line went dead" in text
    download = operator.get(reverse("admin:soakrun_report", args=[run.pk]))
    assert download["Content-Disposition"].endswith('.json"')
    assert download.json()["verdict"] == "fail"
    beside = operator.get(f"{reverse('admin:soakrun_compare')}?run={run.pk}").content.decode()
    assert "TTFA at the caller p95" in beside
    assert "231 ms" in beside


def test_a_run_without_a_report_says_what_went_wrong(operator: Client, run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    with everyone():
        services.end_run(run=run, report=None, trouble="The key was <b>refused</b>.")
    text = operator.get(reverse("admin:sessions_app_soakrun_change", args=[run.pk])).content.decode()
    assert "The key was &lt;b&gt;refused&lt;/b&gt;." in text
    assert "Verdict against" not in text


def test_a_run_that_goes_is_not_deleted(operator: Client, run: SoakRun) -> None:
    delete = reverse("admin:sessions_app_soakrun_delete", args=[run.pk])
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    services.ask_stop(run=run)
    assert operator.post(delete, {"post": "yes"}).status_code == 302
    assert not SoakRun.objects.exists()


def test_the_list_shows_state_and_figures(operator: Client, run: SoakRun) -> None:
    services.claim_run(run_id=run.pk)
    with everyone():
        services.end_run(run=run, report=report())
    text = operator.get(reverse("admin:sessions_app_soakrun_changelist")).content.decode()
    assert "TTFA p95" in text
    assert "231 ms" in text
