"""A browser with the talk page in it, and the office it speaks to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.browser.office import Office
from tests.browser.site import CHROMIUM, FAKE_MICROPHONE, ORIGIN, QUIET, serve

DESKTOP = {"width": 1280, "height": 800}


@asynccontextmanager
async def _opened(args: list[str], **options: Any) -> AsyncIterator[tuple[Page, Office]]:
    office = Office()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *args])
        context = await browser.new_context(**{"viewport": DESKTOP, **options})
        await serve(context)
        await office.open(context)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
        try:
            yield page, office
        finally:
            await page.close()
            await office.close()
            await browser.close()
    assert complaints == []


@pytest_asyncio.fixture
async def talk() -> AsyncIterator[Callable[..., Any]]:
    """`page, office = await talk(args=…, path=…, init=…, **context options)`: fails on script errors and violations of
    the policy. `init`: a function that runs before the page's own scripts."""
    async with AsyncExitStack() as stack:

        async def open_page(
            args: list[str] = FAKE_MICROPHONE, path: str = "/talk/", init: str = "", **options: Any
        ) -> tuple[Page, Office]:
            page, office = await stack.enter_async_context(_opened(args, **options))
            if init:
                await page.add_init_script(f"({init})()")
            await page.goto(ORIGIN + path)
            return page, office

        yield open_page
