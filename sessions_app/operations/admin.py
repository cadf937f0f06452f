"""The console's soak pages: start a run, watch it, stop it, keep and compare reports. For operators only."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from sessions_app.operations import live, selectors, services, tasks
from sessions_app.operations.comparison import compared
from sessions_app.operations.forms import SoakForm
from sessions_app.operations.models import LiveSession, SoakRun
from sessions_app.tenants.console import ConsoleAdmin
from sessions_app.tenants.permissions import Can

OUTCOMES = {
    "pass": "success", "fail": "danger", "not enough data": "warning", "stopped": "warning",
    "queued": "info", "running": "info", "finished": "success", "failed": "danger",
}  # fmt: skip
COMPARED = 6
"""So many reports fit side by side."""


@admin.register(SoakRun)
class SoakRunAdmin(ConsoleAdmin):
    read, write = Can.RUN_INSTALLATION, Can.RUN_INSTALLATION
    form = SoakForm
    list_display = (
        "created_at", "called", "callers", "minutes", "outcome", "turns", "failures", "ttfa_p95", "barge_in_p95",
    )  # fmt: skip
    list_filter = ("state", "verdict")
    actions = ("compare",)
    list_fullwidth = True
    change_form_template = "admin/soak/start.html"

    # A run is never edited.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.going)

    # Start.

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        address = request.build_absolute_uri("/").rstrip("/")
        return {"callers": 4, "minutes": 3, "duty": 0.5, "url": address, "metrics_urls": f"{address}/metrics"}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        services.sweep_runs()
        context = {"title": "Start a soak run", "show_save_and_add_another": False, "show_save_and_continue": False}
        try:
            return super().add_view(request, form_url, {**context, **(extra_context or {})})
        except services.RunGoing as going:
            messages.error(request, str(going))
            return HttpResponseRedirect(reverse("admin:sessions_app_soakrun_changelist"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = {name: value for name, value in form.cleaned_data.items() if name != "assistant"}
        run = services.begin_run(
            assistant=form.cleaned_data["assistant"],
            by=request.user,  # type: ignore[arg-type]  # the page is for operators
            fields=fields,
        )
        obj.pk = run.pk
        transaction.on_commit(partial(tasks.run_soak.delay, str(run.pk)))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(_page(obj))

    # Watch, stop, read.

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("compare/", site(self.compare_view), name="soakrun_compare"),
            path("<uuid:run_id>/now/", site(self.now_view), name="soakrun_now"),
            path("<uuid:run_id>/stop/", site(self.stop_view), name="soakrun_stop"),
            path("<uuid:run_id>/report.json", site(self.report_view), name="soakrun_report"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self._run(request, object_id)
        page = selectors.run_page(run)
        return self._render(request, "admin/soak/run.html", str(run), run=run, page=page)

    def now_view(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        return JsonResponse(selectors.run_page(self._run(request, run_id)))

    def stop_view(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        run = self._run(request, run_id)
        if request.method == "POST":
            services.ask_stop(run=run)
            messages.info(request, "The run was asked to stop; its report follows in a few seconds.")
        return HttpResponseRedirect(_page(run))

    def report_view(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        run = self._run(request, run_id)
        name = f"soak-{run.created_at:%Y%m%d-%H%M}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return JsonResponse(run.report, headers=headers, json_dumps_params={"indent": 1})

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            runs = list(SoakRun.objects.filter(pk__in=request.GET.getlist("run")[:COMPARED]).order_by("created_at"))
        except ValidationError as error:
            raise Http404 from error
        table = compared(runs)
        return self._render(request, "admin/soak/compare.html", "Compare soak runs", runs=runs, table=table)

    @admin.action(description="Compare")
    def compare(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        chosen = "&".join(f"run={run.pk}" for run in queryset[:COMPARED])
        return HttpResponseRedirect(f"{reverse('admin:soakrun_compare')}?{chosen}")

    def _run(self, request: HttpRequest, run_id: Any) -> SoakRun:
        """Raises PermissionDenied or Http404."""
        self.must_be_there(request, str(run_id))
        return SoakRun.objects.get(pk=run_id)

    def _render(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**site, "title": title, "opts": self.opts, **context})

    # Columns.

    @display(description="Assistant", ordering="assistant_name")
    def called(self, run: SoakRun) -> str:
        return run.assistant_name

    @display(description="Outcome", label=OUTCOMES)
    def outcome(self, run: SoakRun) -> str:
        """The verdict, as soon as there is one."""
        return run.verdict or run.state

    @display(description="Turns")
    def turns(self, run: SoakRun) -> Any:
        return run.report.get("turns", run.progress.get("turns", ""))

    @display(description="Failures")
    def failures(self, run: SoakRun) -> Any:
        return run.report.get("failures", run.progress.get("failures", ""))

    @display(description="TTFA p95")
    def ttfa_p95(self, run: SoakRun) -> str:
        return _ms(run.steady("ttfa_ms", "p95"))

    @display(description="Barge-in p95")
    def barge_in_p95(self, run: SoakRun) -> str:
        return _ms(run.steady("barge_in_ms", "p95"))


admin.site.register(LiveSession, live.LiveSessionAdmin)


def _page(run: SoakRun) -> str:
    return reverse("admin:sessions_app_soakrun_change", args=[run.pk])


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms"
