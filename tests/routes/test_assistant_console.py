"""An editor's way: change the draft, talk with it, see what publishing changes, publish, take the tag away."""

import os
import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
PICTURES = os.environ.get("GOASSIST_PICTURES", "")
"""A folder for pictures of what was seen."""
GREETING = "Good evening, this is the night desk of Harbor Law."


async def seen(page: Page, name: str) -> None:
    """Nothing serious by axe's rules, in light and dark; pictures where they are wanted."""
    for scheme in ("light", "dark"):
        await page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        await page.evaluate("dark => document.querySelectorAll('goassist-widget').forEach("
                            "w => w.toggleAttribute('data-dark', dark))", scheme == "dark")  # fmt: skip
        await page.wait_for_timeout(150)
        if PICTURES:
            await page.screenshot(path=f"{PICTURES}/{name}-{scheme}.png", full_page=True)
        await page.evaluate(AXE)
        found: dict[str, Any] = await page.evaluate("() => axe.run(document.querySelector('#main') ?? document)")
        serious = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
        assert not serious, (name, scheme, [(one["id"], one["nodes"][0]["html"]) for one in serious])


async def log_in(page: Page, stack: Stack, person: dict[str, str] | None = None) -> None:
    """As the owner of Harbor Law, or as that person."""
    person = person or stack.tenant("harbor-law")["owner"]
    await page.goto(f"{stack.url}/admin/")
    await page.get_by_label("Email").fill(person["email"])
    await page.get_by_label("Password", exact=True).fill(person["password"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_load_state()


async def test_an_editor_tries_a_draft_sees_what_changes_publishes_and_embeds(embedded_stack: Stack) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
        await log_in(page, embedded_stack)
        await page.goto(f"{embedded_stack.url}/admin/sessions_app/assistant/")
        await page.locator('a[href*="/change/"]').first.click()
        before = await page.locator("[name=greeting]").input_value()
        await page.locator("[name=greeting]").fill(GREETING)
        await page.get_by_role("button", name="Save and continue editing").click()
        await page.wait_for_load_state()

        await page.get_by_role("button", name="Talk with this draft").click()
        await expect(page.get_by_role("heading", name=re.compile(r"\(draft\)"))).to_be_visible()
        await page.get_by_role("button", name="Talk", exact=True).click()
        await expect(page.get_by_role("log")).to_contain_text("night desk", timeout=30_000)
        await seen(page, "assistant-draft")
        await page.get_by_role("button", name="End", exact=True).click()

        await page.get_by_role("link", name="What publishing changes").click()
        await expect(page.locator("ins", has_text="night")).to_be_visible()
        await seen(page, "assistant-review")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_text("is live.")).to_be_visible()

        await page.get_by_role("link", name="Embed").click()
        await expect(page.locator("[data-snippet]")).to_contain_text('data-assistant="reception"')
        await page.get_by_label("Position").select_option("bottom-left")
        await page.get_by_label("Language").select_option("de")
        await expect(page.locator("[data-snippet]")).to_contain_text('data-position="bottom-left"')
        await expect(page.get_by_role("button", name="Sprechen")).to_be_visible()
        await seen(page, "assistant-embed")

        await page.go_back()
        await page.locator("[name=greeting]").fill(before)
        await page.get_by_role("button", name="Save, then publish").click()
        await expect(page.locator("del", has_text="night")).to_be_visible()
        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_text("is live.")).to_be_visible()
        await browser.close()
    assert complaints == []
