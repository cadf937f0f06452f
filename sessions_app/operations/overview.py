"""The console's first page as it is now: what history tells, how the workers stand, what the month has used."""

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest

from sessions_app.history import dashboard
from sessions_app.history.pulse import pulse
from sessions_app.operations import levels, selectors
from sessions_app.tenants.console import standing
from sessions_app.tenants.permissions import Can
from sessions_app.tenants.scope import Scope, current_scope
from sessions_app.tenants.standing import Standing
from sessions_app.usage.selectors import month_named, totals

LIFETIME_S: Final = 4.5
"""Of what is counted for all who look: a little less than the time between two tellings."""


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback. The workers are asked only later, by the socket: nobody waits for them."""
    dashboard.fill(request, context)
    if standing(request).who is not None:
        context["now"] = now(standing(request), ask_workers=False)
    return context


def now(here: Standing, *, ask_workers: bool = True) -> dict[str, Any]:
    """In the standing's scope. `figures`, `pulse`; to operators also the workers' level, now and hour by hour."""
    told: dict[str, Any] = {"figures": [*dashboard.figures(), _minutes()], "pulse": pulse()}
    if here.may(Can.RUN_INSTALLATION):
        told["pulse"]["level"] = levels.by_hour(told["pulse"]["hours"])
        if ask_workers:
            told["figures"].append(_level(selectors.workers()))
    return told


@dataclass(slots=True)
class _Counted:
    """Whoever holds `lock` counts; others who want the same wait for it, and nobody else."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at_s: float = -math.inf
    told: dict[str, Any] = field(default_factory=dict)


_shared: dict[tuple[Scope, bool], _Counted] = {}
_looking = threading.Lock()


def shared(here: Standing, lifetime_s: float = LIFETIME_S) -> dict[str, Any]:
    """As `now`, counted once for all who look at the same rows at the same time: in the standing's scope, and for
    nobody in another."""
    key = (current_scope(), here.may(Can.RUN_INSTALLATION))

    def stale(one: _Counted) -> bool:
        return time.monotonic() - one.at_s > lifetime_s

    with _looking:
        for old in [at for at, one in _shared.items() if stale(one) and not one.lock.locked()]:
            del _shared[old]
        counted = _shared.setdefault(key, _Counted())
    with counted.lock:
        if stale(counted):
            counted.told, counted.at_s = now(here), time.monotonic()
        return counted.told


def _minutes() -> dict[str, str]:
    return {"title": "Minutes this month", "value": f"{totals(month_named(''))['minutes']:.1f}"}


def _level(workers: list[dict[str, Any]]) -> dict[str, str]:
    worst = max(workers, key=lambda worker: worker["level"], default=None)
    if worst is None:
        return {"title": "Degradation", "value": "–", "note": "no worker answers"}
    why = f"{worst['level_name']} ({worst['worker']}: {worst['why']})"
    note = why if worst["level"] else f"normal, {len(workers)} worker{'s' * (len(workers) != 1)}"
    return {"title": "Degradation", "value": f"{worst['level']} of {len(selectors.LEVELS) - 1}", "note": note}
