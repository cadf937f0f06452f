"""The widget on another web site: one tag, real Chromium, real speech; and where it may not be, it says so."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.routes.other_sites import a_site, key_for, with_widget
from tests.routes.people import findings
from tests.routes.visitors import CONNECTED, a_visitor, script
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

QUESTION = "What are your opening hours on Saturday?"


async def test_a_page_of_another_origin_talks_with_one_tag(embedded_stack: Stack, tmp_path: Path) -> None:
    # The site's address must be known before its key, and its key before its page.
    theirs = {"html": ""}
    with a_site(lambda: theirs["html"]) as origin:
        key = key_for(embedded_stack, "riverside-vet", origin)
        theirs["html"] = with_widget(embedded_stack, key)
        async with a_visitor(origin, script(tmp_path / "visitor.wav", 14.0, QUESTION)) as visitor:
            page = visitor.page
            launcher = page.get_by_role("button", name="Talk to us")
            await expect(launcher).to_be_visible()
            assert await launcher.evaluate("b => getComputedStyle(b).fontSize") == "15px", "the page's styles leak in"
            await launcher.click()
            await expect(page.get_by_role("heading", name=re.compile("Riverside"))).to_be_visible()
            await expect(page.get_by_role("button", name="Talk", exact=True)).to_be_focused()
            await page.get_by_role("button", name="Talk", exact=True).click()
            await page.wait_for_function(CONNECTED, timeout=30_000)
            await expect(page.get_by_role("log")).to_contain_text(re.compile("saturday", re.IGNORECASE), timeout=40_000)
            assert await findings(page, "goassist-widget") == []
            await page.get_by_role("button", name="End", exact=True).click()
            await expect(page.get_by_role("button", name="Talk", exact=True)).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(launcher).to_be_focused()


async def test_a_page_that_may_not_have_it_says_so_in_its_own_language(embedded_stack: Stack, tmp_path: Path) -> None:
    key = key_for(embedded_stack, "riverside-vet", "https://www.riverside.example")
    for language, words in (
        ("en", "This page may not start conversations"),
        ("de", "Diese Seite darf keine Gespräche beginnen"),
        ("es", "Esta página no puede iniciar conversaciones"),
        ("fr", "Cette page ne peut pas commencer de conversation"),
    ):
        page = with_widget(embedded_stack, key, language=language)
        with a_site(lambda page=page: page) as origin:
            async with a_visitor(origin, script(tmp_path / "silent.wav")) as visitor:
                await visitor.page.locator("goassist-widget").get_by_role("button").first.click()
                await expect(visitor.page.get_by_role("alert")).to_contain_text(words)
                assert visitor.sessions == []


async def test_typing_into_the_widget_is_answered_in_dark_and_in_place(embedded_stack: Stack, tmp_path: Path) -> None:
    # The site's address must be known before its key, and its key before its page.
    theirs = {"html": ""}
    with a_site(lambda: theirs["html"]) as origin:
        key = key_for(embedded_stack, "harbor-law", origin)
        theirs["html"] = with_widget(embedded_stack, key, position="inline", theme="dark", accent="#ffd166")
        async with a_visitor(origin, script(tmp_path / "silent.wav")) as visitor:
            page = visitor.page
            await page.get_by_label("Type a message").fill("Are you open on Saturdays?")
            await page.keyboard.press("Enter")
            log = page.get_by_role("log")
            await expect(log).to_contain_text(re.compile("saturday.*saturday", re.IGNORECASE | re.DOTALL))
            assert await findings(page, "goassist-widget") == []
