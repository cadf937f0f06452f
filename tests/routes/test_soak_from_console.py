"""An operator's soak test: set in the console, seen moving, kept with a verdict; stopped; gone with the product."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import expect

from pipeline.soak.report import summary
from pipeline.soak.verdict import Figures, Line, Outcome, judge, overall
from tests.routes.operators import Operator, an_operator
from tests.stack import Stack, embedded

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(330)]

STOPPED_WITHIN_S = 20
ORPHANS_GONE_S = 10
TOO_LATE = "(the server had nothing to say within its limit)"
"""V7, of which a machine that others use as well may have a case: the run tells it, and benchmarks are about it."""
NOTHING = Figures([], [], [], [], failures=0, restarts=0, turns=0)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded(tmp_path_factory.mktemp("soak")) as stack:
        yield stack


async def watch(operator: Operator, seconds: float) -> list[dict[str, str]]:
    """What the page showed, each second, until the report came or so many seconds had passed."""
    shown = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and not await operator.page.locator("[data-verdict]").count():
        shown.append(await operator.now())
        await asyncio.sleep(1)
    return [one for one in shown if one]


async def under_way(operator: Operator) -> None:
    """Until callers are in a call."""
    await expect(operator.page.locator("[data-now=live]")).to_have_text("2", timeout=30_000)


async def test_three_minutes_with_four_callers_end_with_a_report_and_a_verdict(stack: Stack) -> None:
    async with an_operator(stack) as operator:
        await operator.start(callers=4, minutes=3, duty=0.5)
        early = await watch(operator, 90)
        assert await operator.chart_points("latency") >= 2
        assert await operator.ink("latency") > 1000, "the chart is drawn"
        points = await operator.chart_points("memory")
        late = await watch(operator, 60)
        assert await operator.chart_points("memory") > points, "the chart grows while the run goes"
        await expect(operator.page.locator("[data-verdict]")).to_be_visible(timeout=90_000)
        lines, verdict = await operator.lines(), await operator.page.locator("[data-verdict]").inner_text()
        assert await operator.ink("latency") > 1000, "the report keeps its chart"
        report = await operator.report()
        troubles = operator.troubles
    print(summary(report))
    shown = early + late
    assert len({one["elapsed"] for one in shown}) > 60, "time moves on the page"
    turns = [int(one["turns"]) for one in shown if one["turns"].isdigit()]
    assert turns == sorted(turns)
    assert turns[-1] > turns[0]
    assert "4" in {one["live"] for one in shown}, "all four were in a call at once"
    assert report["turns"] > 10
    assert not [kind for kind in report["failures_by_kind"] if TOO_LATE not in kind], report["failures_by_kind"]
    assert report["settings"]["callers"] == 4
    assert 175 <= report["duration_s"] <= 190
    assert lines == {line["name"]: line["outcome"] for line in report["lines"]}
    assert list(lines) == [line.name for line in judge(NOTHING)]
    judged = [Line(**{**line, "outcome": Outcome(line["outcome"])}) for line in report["lines"]]
    assert verdict == report["verdict"] == overall(judged)
    assert report["server"]["memory_slope_mb_per_h"] is not None
    assert troubles == []


async def test_stop_ends_a_run_with_a_report_and_a_second_start_is_refused_meanwhile(stack: Stack) -> None:
    async with an_operator(stack) as operator:
        await operator.start(callers=2, minutes=10, duty=0.5)
        run = operator.page.url
        await under_way(operator)
        await operator.start(callers=1, minutes=1, duty=0.5)
        await expect(operator.page.get_by_text("Another soak run is still going")).to_be_visible()
        await operator.page.goto(run)
        await operator.page.get_by_role("button", name="Stop").click()
        await expect(operator.page.locator("[data-verdict]")).to_have_text("stopped", timeout=STOPPED_WITHIN_S * 1000)
        report = await operator.report()
        await operator.page.goto(f"{stack.url}/admin/sessions_app/livesession/")
        await expect(operator.page.get_by_text("Nobody is in a call.")).to_be_visible(timeout=20_000)
        assert operator.troubles == []
    assert report["stopped"]
    assert report["sessions"] == 2


@pytest.mark.parametrize("end", [Stack.stop, lambda product: product.process("embedded").kill()], ids=["term", "kill"])
async def test_who_ends_the_product_ends_its_soak_run_too(tmp_path: Path, end: Callable[[Stack], None]) -> None:
    with embedded(tmp_path) as product:
        async with an_operator(product) as operator:
            await operator.start(callers=2, minutes=10, duty=0.5)
            await under_way(operator)
        started = psutil.Process(product.process("embedded").pid).children(recursive=True)
        assert any("pipeline.soak" in process.cmdline() for process in started)
        began = time.monotonic()
        await asyncio.to_thread(end, product)
        assert psutil.wait_procs(started, timeout=ORPHANS_GONE_S)[1] == []
        print(f"all ended after {time.monotonic() - began:.1f} s")
