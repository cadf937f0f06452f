"""The edit route: a draft is changed and published in the console; a live call answers by it from its next turn on."""

import asyncio
import re

import pytest
from django.contrib.admin.utils import quote
from playwright.async_api import async_playwright

from tests.routes.phone import Phone
from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(150)]


async def publish_saturday(stack: Stack, tenant: str, answer: str) -> str:
    """As the owner would: sign in, change the fact's answer, Save and publish. Returns the old one."""
    owner = stack.tenant(tenant)["owner"]
    assistant = stack.tenant(tenant)["assistants"][0]["id"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"{stack.url}/admin/sessions_app/assistant/{quote(assistant)}/change/")
        await page.fill("input[name=login]", owner["email"])
        await page.fill("input[name=password]", owner["password"])
        await page.press("input[name=password]", "Enter")
        facts = page.locator("textarea[name=facts]")
        await facts.wait_for()
        sheet = await facts.input_value()
        found = re.search(r"# hours-saturday:[^\n]*\n([^\n]*)", sheet)
        assert found is not None, sheet
        await facts.fill(sheet.replace(found[1], answer))
        await page.get_by_role("button", name="Save, then publish").click()
        await page.get_by_role("button", name="Publish", exact=True).click()
        await page.get_by_text("is live.").wait_for()
        await browser.close()
    return found[1]


async def test_a_live_call_answers_by_the_version_published_meanwhile(distributed_stack: Stack) -> None:
    answer = "On Saturdays we are open from eight until eleven."
    phone = await Phone(distributed_stack, "riverside-vet").dial()
    try:
        await phone.greeted()
        await phone.ask()
        old = await publish_saturday(distributed_stack, "riverside-vet", answer)
        await asyncio.sleep(1.0)
        await phone.ask()
        await publish_saturday(distributed_stack, "riverside-vet", old)
        before, after = await phone.turns(2)
    finally:
        await phone.hang_up()
    assert before["reply_text"] == old
    assert after["reply_text"] == answer
    assert before["version_digest"] != after["version_digest"]
