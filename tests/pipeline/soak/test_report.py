"""From tally to report."""

import json

from pipeline.soak.report import POINTS, progress, report, series, summary
from pipeline.soak.resources import Sample, Spent, parse
from pipeline.soak.tally import FAILURES_KEPT, Tally, TurnMeasured


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def filled(turns: int = 20, every_s: float = 10.0) -> tuple[Tally, Spent]:
    clock = Clock()
    tally, spent = Tally(clock), Spent()
    for number in range(turns):
        clock.now_s += every_s
        tally.turn(
            TurnMeasured(
                caller=number % 2, warmup=number < 3, ttfa_ms=1000.0 if number < 3 else 100.0, gap_ms=900.0,
                server={"ttfa_ms": 80.0},
            )
        )  # fmt: skip
        spent.samples.append(Sample(tally.elapsed_s, number * 1.0, 300.0))
    return tally, spent


def test_warm_up_turns_are_counted_apart():
    result = report(*filled(), {}, stopped=False)
    assert (result["turns"], result["warmup_turns"]) == (20, 3)
    assert result["steady"]["ttfa_ms"] == {"count": 17, "p50": 100.0, "p95": 100.0, "max": 100.0}
    assert result["warmup"]["ttfa_ms"]["p50"] == 1000.0


def test_a_report_is_json_and_so_is_the_progress():
    tally, spent = filled()
    json.dumps([report(tally, spent, {"callers": 2}, stopped=False), progress(tally, spent)], allow_nan=False)


def test_a_run_without_turns_still_has_a_report():
    result = report(Tally(), Spent(), {}, stopped=True)
    assert result["verdict"] == "stopped"
    assert "0 turns" in summary(result)


def test_a_failed_run_that_was_stopped_has_failed():
    tally, spent = filled()
    tally.failed(0, "no reply")
    assert report(tally, spent, {}, stopped=True)["verdict"] == "fail"


def test_a_long_run_has_no_more_points_than_a_short_one():
    assert len(series(*filled(turns=3000, every_s=30.0))) <= POINTS + 1


def test_cpu_is_the_share_of_a_core_between_two_samples():
    spent = Spent([Sample(0.0, 10.0, 1.0), Sample(2.0, 11.0, 1.0)])
    assert spent.cpu_percent() == [(2.0, 50.0)]


def test_failures_are_counted_on_after_the_list_is_full():
    tally = Tally()
    for _ in range(FAILURES_KEPT + 5):
        tally.failed(1, "no reply")
    assert len(tally.first_failures) == FAILURES_KEPT
    assert tally.failures["no reply"] == FAILURES_KEPT + 5


def test_the_summary_names_every_promise_and_every_kind_of_failure():
    tally, spent = filled()
    tally.failed(0, "cut off")
    result = report(tally, spent, {}, stopped=False)
    text = summary(result)
    assert all(line["name"] in text for line in result["lines"])
    assert "1 × cut off" in text


def test_a_metrics_page_is_read_for_the_process_figures_only():
    page = "# HELP x y\nprocess_cpu_seconds_total 1.5\nother 3\nprocess_resident_memory_bytes 2e+08\n"
    assert parse(page) == {"process_cpu_seconds_total": 1.5, "process_resident_memory_bytes": 2e8}
