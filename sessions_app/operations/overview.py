"""The console's first page as it is now: what history tells, how the workers stand, what the month has used."""

from typing import Any

from django.http import HttpRequest

from sessions_app.history import dashboard
from sessions_app.history.pulse import pulse
from sessions_app.operations import selectors
from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.standing import Standing
from sessions_app.usage.selectors import month_named, totals


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback. The workers are asked only later, by the socket: nobody waits for them."""
    dashboard.fill(request, context)
    if standing(request).who is not None:
        context["now"] = now(standing(request), ask_workers=False)
    return context


def now(here: Standing, *, ask_workers: bool = True) -> dict[str, Any]:
    """In the standing's scope. `figures`, `pulse`; to operators also `level`: the highest of the workers'."""
    told: dict[str, Any] = {"figures": [*dashboard.figures(), _minutes()], "pulse": pulse()}
    if here.may(Can.RUN_INSTALLATION) and ask_workers:
        told["figures"].append(_level(selectors.workers()))
    return told


def _minutes() -> dict[str, str]:
    return {"title": "Minutes this month", "value": f"{totals(month_named(''))['minutes']:.1f}"}


def _level(workers: list[dict[str, Any]]) -> dict[str, str]:
    worst = max(workers, key=lambda worker: worker["level"], default=None)
    if worst is None:
        return {"title": "Degradation", "value": "–", "note": "no worker answers"}
    note = f"{worst['worker']}: {worst['why']}" if worst["level"] else f"{len(workers)} workers"
    return {"title": "Degradation", "value": f"{worst['level']} {worst['level_name']}", "note": note}
