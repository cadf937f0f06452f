"""The page's modules, one by one, in the browser that runs them in earnest (no imitation of its interfaces)."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.browser.site import CHROMIUM, FOLDERS, ORIGIN, QUIET, serve

pytestmark = pytest.mark.slow
SENTENCE = re.compile(r"^test\('([^']+)'", re.MULTILINE)
UNITS = [
    (path.stem, sentence)
    for path in sorted(FOLDERS["units"].glob("*.js"))
    for sentence in SENTENCE.findall(path.read_text())
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def units() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page()
        await serve(page.context)
        await page.goto(f"{ORIGIN}/units/")
        yield page
        await browser.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("unit", "sentence"), UNITS, ids=lambda text: text)
async def test_unit(units: Page, unit: str, sentence: str) -> None:
    await units.evaluate(
        """async ([unit, sentence]) => {
            await import(`/units/${unit}.js`);
            await (await import('/units/harness.js')).run(sentence);
        }""",
        [unit, sentence],
    )
