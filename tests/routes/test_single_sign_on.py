"""A tenant's people log in at its own provider, in a real browser: cookies, redirects and policies as they are."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from tests.fakes.provider import CLIENT, SECRET, Provider
from tests.routes.operators import FLAGS
from tests.routes.visitors import CHROMIUM
from tests.stack import Stack, embedded

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]
EMAIL = "kim@harbor-law.local"


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    one.person = {"sub": "kim", "email": EMAIL}
    yield one
    one.close()


@pytest.fixture
def stack(tmp_path: Path, provider: Provider) -> Iterator[Stack]:
    """The tenant's provider is in the operator's own network."""
    code = f"""
from sessions_app.accounts.models import SingleSignOn
from sessions_app.tenants.models import Role, Tenant, User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import add_member
with everyone():
    tenant = Tenant.objects.get(slug="harbor-law")
    add_member(tenant=tenant, user=User.objects.create_user("{EMAIL}"), role=Role.OWNER)
    sso = SingleSignOn(tenant=tenant, issuer="{provider.issuer}", client_id="{CLIENT}", domains=["harbor-law.local"])
    sso.seal("{SECRET}")
    sso.save()
"""
    with embedded(tmp_path, GOASSIST_OUTGOING_NETWORKS="127.0.0.0/8") as one:
        one.manage("shell", "-v", "0", "-c", code)
        yield one


@asynccontextmanager
async def browser(stack: Stack) -> AsyncIterator[Page]:
    """At a name, so that the provider's address is another site."""
    troubles: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await chromium.new_page(base_url=stack.url.replace("127.0.0.1", "localhost"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        yield page
        await chromium.close()
    assert [text for text in troubles if "403" not in text] == []


async def test_from_the_login_page_into_the_console_and_no_further(stack: Stack, provider: Provider) -> None:
    async with browser(stack) as page:
        await page.goto("/accounts/login/")
        await page.get_by_role("link", name="Single sign-on").click()
        await page.get_by_label("Tenant").fill("harbor-law")
        assert (await Axe().run(page)).response["violations"] == []
        await page.get_by_role("button", name="Go on").click()
        assert (await Axe().run(page)).response["violations"] == []
        await page.get_by_role("link", name="Go there").click()
        await page.wait_for_url("**/admin/")
        await page.goto("/admin/sessions_app/singlesignon/")
        await page.get_by_role("link", name="Test the connection").first.click()
        await page.get_by_text("offers what is needed").wait_for()
        await page.goto("/accounts/password/change/")
        await page.get_by_role("heading", name="Not from here").wait_for()
        assert (await Axe().run(page)).response["violations"] == []
        await page.get_by_role("main").get_by_role("button", name="Log out").click()
        await page.wait_for_url("**/accounts/login/")


async def test_a_link_on_another_site_asks_first(stack: Stack, provider: Provider) -> None:
    async with browser(stack) as page:
        await page.goto(f"{stack.url}/accounts/login/")  # 127.0.0.1: another site than localhost
        there = stack.url.replace("127.0.0.1", "localhost") + "/accounts/sso/harbor-law/start/"
        await page.evaluate("address => { location.href = address }", there)
        await page.get_by_role("link", name="Go there").wait_for()
        assert "token" not in provider.asked


async def test_who_is_no_member_is_told_so(stack: Stack, provider: Provider) -> None:
    provider.person = {"sub": "stranger", "email": "stranger@harbor-law.local"}
    async with browser(stack) as page:
        await page.goto("/accounts/sso/harbor-law/start/")
        assert "You are no member here" in await page.get_by_role("alert").inner_text()
        await page.get_by_role("link", name="Begin again").click()
        await page.get_by_role("link", name="Go there").wait_for()
