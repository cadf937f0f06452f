"""An editor's way: change the draft, talk with it, see what publishing changes, publish, take the tag away."""

import re

import pytest
from playwright.async_api import expect

from tests.routes.people import at_the_console, seen
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]

GREETING = "Good evening, this is the night desk of Harbor Law."


async def test_an_editor_tries_a_draft_sees_what_changes_publishes_and_embeds(embedded_stack: Stack) -> None:
    async with at_the_console(embedded_stack, embedded_stack.tenant("harbor-law")["owner"]) as page:
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
