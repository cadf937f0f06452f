"""The console's first page in a real browser: drawn, told news by its websocket, and fit for everybody."""

import pytest
from playwright.async_api import expect

from tests.routes.people import at_the_console, fits_a_phone, seen
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]


CONSOLE = "/admin/sessions_app"
PAGES = [
    f"{CONSOLE}/{name}/"
    for name in (
        "assistant assistant/add assistantversion auditentry invitation livesession membership membership/add privacy "
        "publishablekey publishablekey/add quota secretkey secretkey/add session singlesignon soakrun soakrun/add "
        "tenant tenant/add usageday user user/add webhookendpoint webhookendpoint/add"
    ).split()
]


@pytest.mark.parametrize("who", ["owner", "operator"])
async def test_every_page_keeps_to_the_policy_and_to_axes_rules(embedded_stack: Stack, who: str) -> None:
    """No inline script, nothing from elsewhere; no serious finding in light and dark; as wide as a phone."""
    person = embedded_stack.seed["operator"] if who == "operator" else embedded_stack.tenant("harbor-law")["owner"]
    seen_by_them = 0
    async with at_the_console(embedded_stack, person) as page:
        for address in PAGES:
            answer = await page.goto(address)
            assert answer is not None and answer.status in {200, 403}, (address, answer and answer.status)
            if answer.status == 200:
                seen_by_them += 1
                name = f"{who}-{address.strip('/').replace('/', '-')}"
                await seen(page, name)
                await fits_a_phone(page, name)
    assert seen_by_them > 8


async def test_the_overview_is_drawn_and_told_news(embedded_stack: Stack) -> None:
    async with at_the_console(embedded_stack, embedded_stack.tenant("harbor-law")["owner"]) as page:
        await expect(page.locator("[data-overview][data-live=yes]")).to_be_visible()
        for name in ("ttfa", "barge_in", "turns", "troubles"):
            await expect(page.locator(f"[data-chart-of={name}] canvas")).to_be_visible()
        figure = page.locator(".go-tile", has_text="Sessions today").locator("dd")
        before = int(await figure.inner_text())
        tenant = embedded_stack.tenant("harbor-law")
        status, _ = embedded_stack.api("POST", "/sessions", {"assistant": "reception"}, tenant["secret_key"])
        assert status == 201
        await expect(figure).to_have_text(str(before + 1), timeout=15_000)
        await seen(page, "overview")
        await page.set_viewport_size({"width": 390, "height": 844})
        await seen(page, "overview-phone")


async def test_an_operator_sees_the_level_hour_by_hour(embedded_stack: Stack) -> None:
    async with at_the_console(embedded_stack, embedded_stack.seed["operator"]) as page:
        await expect(page.locator("[data-overview][data-live=yes]")).to_be_visible()
        await expect(page.locator("[data-chart-of=level] canvas")).to_be_visible()
        await seen(page, "overview-operator")
