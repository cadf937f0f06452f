"""An operator at the console, in a real Chromium, and the soak runs that they start there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.routes.visitors import CHROMIUM
from tests.stack import Stack

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
INK = """(kind) => {
  const canvas = document.querySelector(`canvas[data-chart="${kind}"]`);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.reduce((sum, value, index) => sum + (index % 4 === 3 && value > 0 ? 1 : 0), 0);
}"""
"""How many pixels of a chart are drawn on."""
POINTS = """(kind) => {
  const chart = window.Chart.getChart(document.querySelector(`canvas[data-chart="${kind}"]`));
  return chart.data.datasets[0].data.filter((point) => point.y !== null).length;
}"""


@dataclass
class Operator:
    stack: Stack
    page: Page
    troubles: list[str] = field(default_factory=list)
    """What the page's scripts, policies and requests complained of."""

    async def start(
        self, *, callers: int, minutes: float, duty: float, assistant: str = "Riverside Vet Clinic"
    ) -> None:
        """Fills the form in, presses Start and is on the run's page, or on the form again with its words."""
        await self.page.goto(f"{self.stack.url}/admin/sessions_app/soakrun/add/")
        name = await self.page.locator("select[name=assistant] option", has_text=assistant).inner_text()
        await self.page.select_option("select[name=assistant]", label=name)
        for label, value in (("callers", callers), ("minutes", minutes), ("duty", duty)):
            await self.page.fill(f"input[name={label}]", str(value))
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name="Start").click()

    async def now(self) -> dict[str, Any]:
        """What the page shows while the run goes."""
        shown = await self.page.locator("[data-now]").evaluate_all(
            "all => Object.fromEntries(all.map((one) => [one.dataset.now, one.textContent]))"
        )
        return dict(shown)

    async def chart_points(self, kind: str) -> int:
        return int(await self.page.evaluate(POINTS, kind))

    async def ink(self, kind: str) -> int:
        return int(await self.page.evaluate(INK, kind))

    async def lines(self) -> dict[str, str]:
        """The verdict's lines: name → outcome."""
        rows = await self.page.locator("[data-line]").evaluate_all(
            "all => all.map((row) => [row.dataset.line, row.querySelector('.go-badge').textContent])"
        )
        return dict(rows)

    async def report(self) -> dict[str, Any]:
        """The kept report, by its download link."""
        async with self.page.expect_download() as coming:
            await self.page.get_by_role("link", name="Report as JSON").click()
        path = await (await coming.value).path()
        return dict(json.loads(await asyncio.to_thread(path.read_text)))


@asynccontextmanager
async def an_operator(stack: Stack) -> AsyncIterator[Operator]:
    """Signed in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        operator = Operator(stack, page)
        page.on("pageerror", lambda error: operator.troubles.append(str(error)))
        page.on("console", lambda said: operator.troubles.append(said.text) if said.type == "error" else None)
        try:
            await page.goto(f"{stack.url}/admin/")
            await page.fill("[name=login]", stack.seed["operator"]["email"])
            await page.fill("[name=password]", stack.seed["operator"]["password"])
            async with page.expect_navigation():
                await page.press("[name=password]", "Enter")
            yield operator
        finally:
            await browser.close()
