"""Logging in as people do, in a real browser: an authenticator app, a passkey, a link in a mail."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from tests.routes.operators import FLAGS
from tests.routes.people import code_of, log_in
from tests.routes.visitors import CHROMIUM
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]


@dataclass
class Person:
    stack: Stack
    email: str
    password: str

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Page]:
        """A new one, in which nobody is logged in. Scripts and policies must not complain."""
        troubles: list[str] = []
        async with async_playwright() as playwright:
            # WebAuthn wants a name, not an address.
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page(base_url=self.stack.url.replace("127.0.0.1", "localhost"))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
            yield page
            await browser.close()
        assert troubles == []

    async def log_in(self, page: Page) -> None:
        await log_in(page, {"email": self.email, "password": self.password})

    async def confirm(self, page: Page) -> None:
        """Before a second factor is changed the password is asked for again."""
        await page.get_by_label("Password", exact=True).fill(self.password)
        await page.get_by_role("button", name="Confirm").click()
        await page.wait_for_load_state()


@pytest.fixture
def person(embedded_stack: Stack) -> Person:
    """Of their own, so that second factors get into nobody's way."""
    email, password = "browser@harbor-law.local", "a password for this test"
    code = f"""
from sessions_app.tenants.models import Role, Tenant, User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import add_member
with everyone():
    User.objects.filter(email="{email}").delete()
    user = User.objects.create_user("{email}", "{password}")
    add_member(tenant=Tenant.objects.get(slug="harbor-law"), user=user, role=Role.ADMIN)
"""
    embedded_stack.manage("shell", "-v", "0", "-c", code)
    return Person(embedded_stack, email, password)


async def test_with_an_authenticator_app(person: Person) -> None:
    async with person.browser() as page:
        await person.log_in(page)
        await page.goto("/accounts/2fa/totp/activate/")
        await person.confirm(page)
        secret = await page.get_by_label("Authenticator secret").input_value()
        await page.get_by_label("Authenticator code").fill(code_of(secret))
        await page.get_by_role("button", name="Activate").click()
        await page.wait_for_load_state()
        await page.goto("/accounts/2fa/recovery-codes/")
        spare = (await page.locator("textarea").input_value()).split()[0]
    async with person.browser() as page:
        await person.log_in(page)
        assert "/accounts/2fa/authenticate/" in page.url
        await page.goto("/admin/")
        assert "/accounts/2fa/authenticate/" in page.url
        await page.locator("input[name=code]").fill("000000")
        await page.locator("input[name=code]").press("Enter")
        await page.get_by_role("alert").wait_for()
        # The app's own code of this half minute was used to turn it on.
        await page.locator("input[name=code]").fill(spare)
        async with page.expect_navigation(url=re.compile("/admin/$")):
            await page.locator("input[name=code]").press("Enter")


async def test_where_a_second_factor_is_required(person: Person) -> None:
    code = f"""
from sessions_app.tenants.models import Membership, Role, Tenant, User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import add_member
with everyone():
    user = User.objects.get(email="{person.email}")
    Membership.objects.filter(user=user).delete()
    strict, _ = Tenant.objects.get_or_create(slug="strict", name="Strict", second_factor_required=True)
    add_member(tenant=strict, user=user, role=Role.ADMIN)
"""
    person.stack.manage("shell", "-v", "0", "-c", code)
    async with person.browser() as page:
        await person.log_in(page)
        assert page.url.endswith("/accounts/2fa/required/")
        found = (await Axe().run(page)).response["violations"]
        assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
        await page.get_by_role("link", name="Set up an app").click()
        await person.confirm(page)
        secret = await page.get_by_label("Authenticator secret").input_value()
        await page.get_by_label("Authenticator code").fill(code_of(secret))
        await page.get_by_role("button", name="Activate").click()
        await page.wait_for_load_state()
        await page.goto("/admin/")
        assert page.url.endswith("/admin/")
        await page.goto("/accounts/2fa/totp/deactivate/")
        await page.get_by_text("this is your last").wait_for()


async def test_with_a_passkey_and_no_password(person: Person) -> None:
    async with person.browser() as page:
        device = await page.context.new_cdp_session(page)
        await device.send("WebAuthn.enable")
        made = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options = {**made, "isUserVerified": True, "automaticPresenceSimulation": True}
        await device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        await person.log_in(page)
        await page.goto("/accounts/2fa/webauthn/add/")
        await person.confirm(page)
        await page.locator("input[name=name]").fill("Test key")
        await page.locator("input[name=passwordless]").check()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Add").click()
        await page.context.clear_cookies()
        await page.goto("/accounts/login/")
        async with page.expect_navigation(url=re.compile("/admin/$")):
            await page.get_by_role("button", name="Use a passkey").click()
        await page.goto("/accounts/")
        assert await page.get_by_text("1 kept.").is_visible()


async def test_by_the_link_in_a_mail(person: Person) -> None:
    async with person.browser() as page:
        await page.goto("/accounts/login/")
        await page.get_by_role("link", name="Forgot your password?").click()
        await page.get_by_label("Email").fill(person.email)
        await page.locator("form button[type=submit]").first.click()
        await page.wait_for_load_state()
        link = re.search(r"http://localhost:\d+(/accounts/password/reset/key/\S+)", newest_mail(person.stack.folder))
        assert link is not None
        await page.goto(link[1])
        person.password = "quite another password"
        await page.locator("input[name=password1]").fill(person.password)
        await page.locator("input[name=password2]").fill(person.password)
        await page.get_by_role("button", name="Change Password").click()
        await page.wait_for_load_state()
        await page.context.clear_cookies()
        await person.log_in(page)
        assert page.url.endswith("/admin/")


def newest_mail(folder: Path) -> str:
    return max(folder.rglob("mail/*.log"), key=lambda path: path.stat().st_mtime).read_text()
