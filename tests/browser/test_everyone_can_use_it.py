"""Accessibility and looks: axe-core's rules on every page, keyboard alone, light and dark, small and large screens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

from tests.browser.screenshots import SCENES, SCREENS

pytestmark = pytest.mark.slow
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = "wcag2a wcag2aa wcag21a wcag21aa wcag22aa best-practice".split()
Talk = Callable[..., Any]


async def violations(page: Page) -> list[str]:
    """axe-core's findings, one line each. Run through the debugger, so that the page's policy stays as it is."""
    await page.evaluate(AXE)
    found = await page.evaluate("tags => axe.run({ runOnly: tags })", RULES)
    return [f"{v['id']}: {node['html']}" for v in found["violations"] for node in v["nodes"]]


@pytest.mark.parametrize("name", ["idle", "listening", "speaking", "busy", "ended", "settings", "home", "error"])
async def test_axe_finds_nothing(talk: Talk, name: str) -> None:
    path, scene = SCENES[name]
    page, office = await talk(path=path, color_scheme="light", reduced_motion="reduce")
    await scene(page, office)
    light = await violations(page)
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert (light, await violations(page)) == ([], [])


@pytest.mark.parametrize("name", ["idle", "busy", "settings", "home", "error"])
async def test_nothing_sticks_out_of_the_screen(talk: Talk, name: str) -> None:
    path, scene = SCENES[name]
    page, office = await talk(path=path)
    await scene(page, office)
    for viewport in (*SCREENS.values(), {"width": 320, "height": 568}, {"width": 740, "height": 360}):
        await page.set_viewport_size(viewport)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), viewport


async def test_a_call_can_be_made_and_ended_with_the_keyboard_alone(talk: Talk) -> None:
    page, office = await talk()
    await page.get_by_role("button", name="Talk").focus()
    await page.keyboard.press("Enter")
    peer = await office.peer(1)
    await expect(page.get_by_role("button", name="End", exact=True)).to_be_focused()
    peer.begin_reply(1, "Our prices")
    await expect(page.get_by_role("button", name="Stop")).to_have_attribute("aria-disabled", "false")
    await page.keyboard.press("Escape")
    while {"type": "stop"} not in peer.heard:
        await page.wait_for_timeout(20)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Talk")).to_be_focused()


async def test_the_chosen_appearance_is_kept(talk: Talk) -> None:
    page, _ = await talk(color_scheme="light")
    toggle = page.get_by_role("button", name="Dark appearance")
    await expect(toggle).to_have_attribute("aria-pressed", "false")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await toggle.click()
    await expect(toggle).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await expect(toggle).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != light


async def test_who_asked_for_less_motion_sees_no_face_until_they_want_it(talk: Talk) -> None:
    page, _ = await talk(reduced_motion="reduce")
    await expect(page.locator(".face")).to_be_hidden()
    await page.get_by_role("button", name="Sound and face").click()
    await page.get_by_role("switch", name="Show the face").check()
    await expect(page.locator(".face")).to_be_visible()


async def test_nothing_is_fetched_from_elsewhere(talk: Talk) -> None:
    page, _ = await talk(path="/lost/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/talk/", "/broken/"):
        await page.goto("https://talk.test" + path)
    assert {url.split("/")[2] for url in asked} == {"talk.test"}
