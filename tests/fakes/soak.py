"""A soak run's wishes and its report, as `pipeline.soak` writes it."""

from typing import Any

from pipeline.soak.report import report as soak_report
from pipeline.soak.resources import Spent
from pipeline.soak.tally import Tally

FIELDS: dict[str, Any] = {
    "callers": 2,
    "minutes": 1.0,
    "duty": 0.5,
    "url": "http://127.0.0.1:9",
    "metrics_urls": ["http://127.0.0.1:9/metrics"],
}


def report(*, verdict: str = "pass", stopped: bool = False, failures: int = 0) -> dict[str, Any]:
    """The real writer's report of an empty run, with a verdict and a few figures put in."""
    written = soak_report(Tally(), Spent(), {}, stopped)
    steady = {**written["steady"], "ttfa_ms": {"count": 12, "p50": 90.0, "p95": 231.0, "max": 240.0}}
    first = [{"at_s": 4.0, "caller": 1, "text": "the line went dead"}] * min(failures, 1)
    return {**written, "verdict": verdict, "turns": 12, "failures": failures, "first_failures": first, "steady": steady}
