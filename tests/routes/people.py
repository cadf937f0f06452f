"""People at the console, in a real Chromium: they log in by its form, and what they see is fit for everybody."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.async_api import Page, async_playwright

from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
PICTURES = os.environ.get("GOASSIST_PICTURES", "")
"""A folder for pictures of what was seen."""
SERIOUS = {"serious", "critical"}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STICKING_OUT = """() => [
  Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
  [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map((one) => one.outerHTML.slice(0, 120)),
]"""
IN_DARK = """(dark) => {
  document.documentElement.classList.toggle("dark", dark);
  for (const widget of document.querySelectorAll("goassist-widget")) widget.toggleAttribute("data-dark", dark);
}"""


async def log_in(page: Page, person: dict[str, str]) -> None:
    """`person`: as `seed_demo` prints one. The page knows its base address."""
    await page.goto("/admin/")
    await page.get_by_label("Email").fill(person["email"])
    await page.get_by_label("Password", exact=True).fill(person["password"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_load_state()


@asynccontextmanager
async def at_the_console(stack: Stack, person: dict[str, str]) -> AsyncIterator[Page]:
    """Logged in. Script errors and violations of the policy fail the test at the end."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport=DESKTOP, base_url=stack.url)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
        await log_in(page, person)
        yield page
        await browser.close()
    assert complaints == []


async def findings(page: Page, within: str = "html", *rules: str) -> list[tuple[str, str]]:
    """axe's serious ones: the rule, and the first element that breaks it. `rules`: these only."""
    await page.evaluate(AXE)
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found: dict[str, Any] = await page.evaluate("([within, only]) => axe.run(within, only)", [within, only])
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"] if one["impact"] in SERIOUS]


async def seen(page: Page, name: str) -> None:
    """Nothing serious by axe's rules, and in the dark by those of colours; pictures where they are wanted."""
    for scheme, rules in (("light", ()), ("dark", ("color-contrast", "link-in-text-block"))):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
        await page.evaluate(IN_DARK, scheme == "dark")
        await page.wait_for_timeout(150)
        if PICTURES:
            await page.screenshot(path=f"{PICTURES}/{name}-{scheme}.png", full_page=True)
        broken = await findings(page, "html", *rules)
        assert broken == [], (name, scheme, broken)
    await page.emulate_media(color_scheme="light")
    await page.evaluate(IN_DARK, False)


async def fits_a_phone(page: Page, name: str) -> None:
    """Nothing is wider than a phone's screen, so that a page scrolls one way only (WCAG 2.2, 1.4.10)."""
    await page.set_viewport_size(PHONE)
    await page.wait_for_timeout(50)
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}-phone.png", full_page=True)
    wide, sticking_out = await page.evaluate(STICKING_OUT)
    await page.set_viewport_size(DESKTOP)
    assert wide <= PHONE["width"], (name, wide, sticking_out)


def code_of(secret: str) -> str:
    """What an authenticator app with this secret shows now."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
