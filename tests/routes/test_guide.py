"""docs/guide.md, followed step by step in real browsers: an operator opens a tenant, its owner builds an assistant and
embeds it, a visitor talks with it. The guide's pictures are taken here (GOASSIST_PICTURES=docs/screenshots).
"""

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.routes.other_sites import a_site
from tests.routes.people import PICTURES, log_in
from tests.routes.visitors import CHROMIUM, CONNECTED, FLAGS, a_visitor, script
from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(240)]

OWNER = "sam@green-dental.example"
PASSWORD = "a quiet afternoon in spring"
PERSONA = "You are Kim at the reception of Green Dental. You are friendly and brief, and you are a computer assistant."
FACTS = """# hours: opening hours open when time
We are open from Monday to Friday, from eight in the morning to six in the evening.

# parking: parking car park where
You can park behind the house, free of charge."""
TEN_MINUTES_S = 600


class Pages:
    """What is seen on the way, each once."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def take(self, page: Page, name: str) -> None:
        self.taken.append(f"guide-{name}.png")
        if PICTURES:
            await page.wait_for_timeout(300)
            await page.screenshot(path=f"{PICTURES}/guide-{name}.png")


async def a_person(browser: Browser, stack: Stack) -> Page:
    context = await browser.new_context(viewport={"width": 1200, "height": 760}, base_url=stack.url)
    return await context.new_page()


async def opens_a_tenant(page: Page, stack: Stack, pages: Pages) -> str:
    """The operator's part; the invitation's link."""
    await log_in(page, stack.seed["operator"])
    await page.goto("/admin/sessions_app/tenant/add/")
    await page.locator("[name=name]").fill("Green Dental")
    await page.locator("[name=slug]").fill("green-dental")
    await page.locator("[name=owner]").fill(OWNER)
    await pages.take(page, "1-tenant")
    await page.get_by_role("button", name="Save", exact=True).click()
    link = page.locator("[data-secret]")
    await expect(link).to_be_visible()
    return await link.inner_text()


async def accepts(page: Page, link: str, pages: Pages) -> None:
    await page.goto(link)
    await page.get_by_label("Choose a password").fill(PASSWORD)
    await pages.take(page, "2-invitation")
    await page.get_by_role("button", name="Make my login").click()
    await page.wait_for_url(re.compile("/admin/$"))


async def builds(page: Page, pages: Pages) -> None:
    await page.goto("/admin/sessions_app/assistant/add/")
    await page.locator("[name=name]").fill("Kim")
    await page.locator("[name=slug]").fill("kim")
    await page.locator("[name=greeting]").fill("Hello, this is Green Dental. How can I help you?")
    await page.locator("[name=persona]").fill(PERSONA)
    await page.locator("[name=facts]").fill(FACTS)
    await pages.take(page, "3-assistant")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("button", name="Publish")).to_be_visible()
    await pages.take(page, "4-publish")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("is live.")).to_be_visible()


async def makes_a_key(page: Page, origin: str, pages: Pages) -> None:
    await page.goto("/admin/sessions_app/publishablekey/add/")
    await page.locator("[name=label]").fill("Our web site")
    await page.locator("[name=allowed_origins]").fill(origin)
    await pages.take(page, "5-key")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_load_state()


async def takes_the_tag(page: Page, pages: Pages) -> str:
    await page.goto("/admin/sessions_app/assistant/")
    await page.get_by_role("link", name="Kim").first.click()
    await page.get_by_role("link", name="Embed").click()
    await expect(page.get_by_role("button", name="Talk", exact=True)).to_be_visible()
    await pages.take(page, "6-embed")
    return await page.locator("[data-snippet]").inner_text()


async def test_the_guide_leads_from_nothing_to_a_talk_in_less_than_ten_minutes(
    embedded_stack: Stack, tmp_path: Path
) -> None:
    began, pages, site = time.monotonic(), Pages(), {"html": "<!doctype html><title>Green Dental</title>"}
    with a_site(lambda: site["html"]) as origin:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            link = await opens_a_tenant(await a_person(browser, embedded_stack), embedded_stack, pages)
            owner = await a_person(browser, embedded_stack)
            await accepts(owner, link, pages)
            await builds(owner, pages)
            await makes_a_key(owner, origin, pages)
            tag = await takes_the_tag(owner, pages)
            site["html"] = (
                '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Green Dental</title>'
                "<style>body { font: 18px/1.6 system-ui; margin: 4rem; max-width: 36rem }</style></head>"
                "<body><h1>Green Dental</h1><p>Gentle dentists by the river.</p>" + tag + "</body></html>"
            )
            question = script(tmp_path / "visitor.wav", 9.0, "Where can I park my car?")
            async with a_visitor(origin, question) as visitor:
                await visitor.page.get_by_role("button", name="Talk to us").click()
                await visitor.page.get_by_role("button", name="Talk", exact=True).click()
                await visitor.page.wait_for_function(CONNECTED, timeout=30_000)
                log = visitor.page.get_by_role("log")
                await expect(log).to_contain_text(re.compile("behind the house", re.IGNORECASE), timeout=40_000)
                await pages.take(visitor.page, "7-talk")
                await visitor.page.get_by_role("button", name="End", exact=True).click()
            await owner.goto("/admin/sessions_app/session/")
            await owner.locator("a[href*='/change/']").first.click()
            await expect(owner.get_by_text(re.compile("behind the house", re.IGNORECASE)).first).to_be_visible()
            await pages.take(owner, "8-session")
            await browser.close()
    assert time.monotonic() - began < TEN_MINUTES_S
    named = set(re.findall(r"screenshots/(guide-[\w-]+\.png)", (ROOT / "docs" / "guide.md").read_text()))
    assert named == set(pages.taken), "the guide shows what was seen, and nothing else"
