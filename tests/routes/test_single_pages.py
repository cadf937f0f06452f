"""Pages of single rows, of logins, and of errors: fit for everybody in light and dark, and as wide as a phone.

Lists and forms are in test_overview.py, the talk page's states in tests/browser.
"""

from typing import Any

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

from tests.routes.gallery import OWNER, PASSWORD, gallery
from tests.routes.people import DESKTOP, at_the_console, code_of, fits_a_phone, log_in, seen
from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

CONSOLE = "/admin/sessions_app"


@pytest.fixture(scope="module")
def made(embedded_stack: Stack) -> dict[str, Any]:
    return gallery(embedded_stack)


async def look_at(page: Page, address: str, name: str, status: int = 200) -> None:
    answer = await page.goto(address)
    assert answer is not None and answer.status == status, (address, answer and answer.status)
    await look(page, name)


async def look(page: Page, name: str) -> None:
    await seen(page, name)
    await fits_a_phone(page, name)


async def test_pages_of_single_rows(embedded_stack: Stack, made: dict[str, Any]) -> None:
    session, assistant = f"{CONSOLE}/session/{made['session']}", f"{CONSOLE}/assistant/{made['assistant']}"
    sso, hook = f"{CONSOLE}/singlesignon/{made['sso']}", f"{CONSOLE}/webhookendpoint/{made['hook']}"
    pages = {
        "session": f"{session}/change/", "erase": f"{session}/erase/", "assistant": f"{assistant}/change/",
        "review": f"{assistant}/review/", "embed": f"{assistant}/embed/", "assistant-history": f"{assistant}/history/",
        "assistant-delete": f"{assistant}/delete/", "version": f"{CONSOLE}/assistantversion/{made['version']}/change/",
        "webhook": f"{hook}/change/", "sso": f"{sso}/change/",
        "privacy": f"{CONSOLE}/privacy/add/", "usage": f"{CONSOLE}/usageday/", "overview": "/admin/",
        "tenant": f"{CONSOLE}/tenant/{made['tenant']}/change/",
    }  # fmt: skip
    async with at_the_console(embedded_stack, {"email": OWNER, "password": PASSWORD}) as page:
        for name, address in pages.items():
            await look_at(page, address, name)
        await page.goto(pages["webhook"])
        await expect(page.get_by_text("https://www.gallery.example/hooks", exact=True)).to_be_visible()
        await look_at(page, f"{CONSOLE}/quota/", "refused", 403)
        await look_at(page, f"{CONSOLE}/nothing/", "console-404", 404)


async def test_pages_of_an_operator(embedded_stack: Stack, made: dict[str, Any]) -> None:
    tenant = f"{CONSOLE}/tenant/{made['tenant']}"
    async with at_the_console(embedded_stack, embedded_stack.seed["operator"]) as page:
        await look_at(page, f"{tenant}/change/", "operator-tenant")
        await look_at(page, f"{CONSOLE}/user/{made['user']}/change/", "user")
        await look_at(page, f"{CONSOLE}/quota/add/", "quota")
        runs = [made[name] for name in ("run_good", "run_bad", "run_none")]
        for name, run in zip(("good", "bad", "none"), runs, strict=True):
            await look_at(page, f"{CONSOLE}/soakrun/{run}/change/", f"soak-{name}")
        await look_at(page, f"{CONSOLE}/soakrun/compare/?run={runs[0]}&run={runs[1]}", "soak-compare")
        await look_at(page, f"{tenant}/look/", "look-into")
        await page.get_by_label("Reason").fill("They asked why a call ended early.")
        await page.get_by_role("button", name="Look into it").click()
        await page.get_by_text("You are looking into").wait_for()
        await look(page, "looking")
        await page.get_by_role("button", name="Leave").click()


async def test_pages_of_a_login(embedded_stack: Stack, made: dict[str, Any]) -> None:
    """From the invitation to the second factor."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # WebAuthn wants a name, not an address.
        page = await browser.new_page(viewport=DESKTOP, base_url=embedded_stack.url.replace("127.0.0.1", "localhost"))
        for name, address, status in (
            ("login", "/accounts/login/", 200),
            ("reset", "/accounts/password/reset/", 200),
            ("reset-done", "/accounts/password/reset/done/", 200),
            ("reset-key-gone", "/accounts/password/reset/key/1-abc/", 200),
            ("sso-choice", "/accounts/sso/", 200),
            ("inactive", "/accounts/inactive/", 200),
            ("invitation", made["invitation"].replace("127.0.0.1", "localhost"), 200),
            ("invitation-gone", "/accounts/invitation/none/", 404),
        ):
            await look_at(page, address, name, status)
        await page.goto("/accounts/login/")
        await page.get_by_label("Email").fill(OWNER)
        await page.get_by_label("Password", exact=True).fill("wrong")
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("alert").first.wait_for()
        await look(page, "login-wrong")
        await log_in(page, {"email": OWNER, "password": PASSWORD})
        await page.goto("/accounts/2fa/totp/activate/")
        await look(page, "reauthenticate")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Confirm").click()
        await page.wait_for_load_state()
        await look(page, "totp-activate")
        for name, address in (
            ("accounts", "/accounts/"),
            ("password-change", "/accounts/password/change/"),
            ("passkeys", "/accounts/2fa/webauthn/"),
            ("passkey-add", "/accounts/2fa/webauthn/add/"),
            ("login-sessions", "/accounts/sessions/"),
            ("second-factor-required", "/accounts/2fa/required/"),
            ("logout", "/accounts/logout/"),
        ):
            await look_at(page, address, name)
        await with_a_second_factor(page)
        await browser.close()


async def with_a_second_factor(page: Page) -> None:
    await page.goto("/accounts/2fa/totp/activate/")
    secret = await page.get_by_label("Authenticator secret").input_value()
    await page.get_by_label("Authenticator code").fill(code_of(secret))
    await page.get_by_role("button", name="Activate").click()
    await page.wait_for_load_state()
    for name in ("recovery-codes", "recovery-codes/generate", "totp/deactivate"):
        await look_at(page, f"/accounts/2fa/{name}/", name.replace("/", "-"))
    await page.context.clear_cookies()
    await log_in(page, {"email": OWNER, "password": PASSWORD})
    await page.locator("input[name=code]").wait_for()
    await look(page, "second-factor")


async def test_pages_of_everybody(embedded_stack: Stack, made: dict[str, Any]) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport=DESKTOP, base_url=embedded_stack.url)
        await look_at(page, "/", "home")
        await look_at(page, "/t/gallery/desk/", "talk")
        await look_at(page, "/no-such-page", "error-404", 404)
        await page.evaluate("document.body.innerHTML = '<form method=post action=/accounts/login/></form>'")
        async with page.expect_navigation():
            await page.evaluate("document.querySelector('form').submit()")
        await look(page, "error-403")

        async def broken(route: Route) -> None:
            status = route.request.url[-3:]
            await route.fulfill(status=int(status), body=made["errors"][status], content_type="text/html")

        await page.route("**/broken-*", broken)
        for status in (400, 500):
            await look_at(page, f"/broken-{status}", f"error-{status}", status)
        await browser.close()
