"""Hostile words in every place where words are shown, in a real browser: none runs, none becomes an element.

The browser takes the pages without their policy, so that it is the pages themselves that hold.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.routes.hostile import RAN, WORDS
from tests.routes.other_sites import a_site, with_widget
from tests.routes.people import log_in
from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

HOOK = """
window.__hits = 0;
window.__ran = () => { window.__hits += 1; };
window.alert = window.__ran;
"""
TRACES = "() => [window.__hits, document.querySelectorAll('[data-xss]').length]"
IN_SHADOW = "() => document.querySelector('goassist-widget').shadowRoot.querySelectorAll('[data-xss]').length"
PLANT = """
import json
from datetime import timedelta
from django.utils import timezone
from sessions_app.models import *
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.history.services import create_session
from sessions_app.tenants.audit import record
from sessions_app.tenants.models import Role, User
from sessions_app.tenants.scope import everyone
from sessions_app.tenants.services import add_member, issue_publishable_key, issue_secret_key
words = json.load(open({path!r}))
half = len(words) // 2
with everyone():
    tenant = Tenant.objects.create(slug="hostile", name=words[3])
    user = User.objects.create_user("owner@hostile.example", "a password for this test")
    add_member(tenant=tenant, user=user, role=Role.OWNER)
    key = issue_publishable_key(tenant=tenant, label=words[0][:80])
    site = issue_publishable_key(tenant=tenant, label=words[5][:80], allowed_origins=["{origin}"])
    issue_secret_key(tenant=tenant, label=words[6][:80])
    draft = {{"greeting": words[7], "persona": " ".join(words)[:7000],
              "facts": [{{"id": f"f{{n}}", "topic": w[:200], "answer": w}} for n, w in enumerate(words)],
              "documents": [{{"id": f"d{{n}}", "title": w[:200], "body": w}} for n, w in enumerate(words)]}}
    assistant = create_assistant(tenant=tenant, slug="desk", name=words[4], draft=draft)
    version = publish(assistant=assistant, by=user)
    assistant.refresh_from_db()
    assistant.draft = draft | {{"greeting": words[8]}}
    assistant.save()
    session = create_session(tenant_id=tenant.pk, assistant=assistant, version=version, channel="chat")
    session.visitor = words[9][:60]
    session.worker = words[10][:60]
    session.save()
    now = timezone.now()
    for n, w in enumerate(words):
        Turn.objects.create(
            tenant=tenant, session=session, leg=1, number=n, origin="chat", visitor_text=w, reply_text=w, fragment=w,
            finished=True, started_at=now, ended_at=now, passages=[[w, 0.5]], cancel_reason=w[:20],
        )
        SessionEvent.objects.create(tenant=tenant, session=session, leg=1, seq=n + 1, turn=n, kind="error", at=now,
            data={{"code": w, "text": w}})
        record("hostile.words", tenant, tenant_id=tenant.pk, note=w, before={{"was": w}}, after={{w[:60]: w}})
    Invitation.objects.create(tenant=tenant, email=words[11][:200], role="viewer", token_hash="x", expires_at=now)
print(json.dumps({{"assistant": assistant.pk, "session": session.pk, "site": site.key}}))
"""


async def holds(page: Page, what: str) -> None:
    await page.wait_for_timeout(400)
    assert await page.evaluate(TRACES) == [0, 0], what


async def test_no_words_run_anywhere(embedded_stack: Stack, tmp_path: Path) -> None:
    assert len(WORDS) >= 60
    (tmp_path / "words.json").write_text(json.dumps(WORDS))
    theirs = {"html": ""}
    with a_site(lambda: theirs["html"]) as origin:
        code = PLANT.format(path=str(tmp_path / "words.json"), origin=origin)
        made = json.loads(embedded_stack.manage("shell", "--no-imports", "-c", code).splitlines()[-1])
        theirs["html"] = with_widget(embedded_stack, made["site"]).replace('"reception"', '"desk"')
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = await browser.new_context(bypass_csp=True, base_url=embedded_stack.url)
            await context.add_init_script(HOOK)
            page = await context.new_page()
            await the_hook_notices(page)
            await visitors_pages(page, origin)
            await the_console(page, made)
            await browser.close()


async def the_hook_notices(page: Page) -> None:
    await page.goto("/healthz")
    await page.evaluate("words => { document.body.innerHTML = words }", f"<img data-xss src=x onerror={RAN}>")
    await page.wait_for_timeout(400)
    assert await page.evaluate(TRACES) == [1, 1]


async def visitors_pages(page: Page, origin: str) -> None:
    """The page's own names, and a talk in which each side says all of it."""
    answer = await page.goto("/t/hostile/desk/")
    assert answer is not None and answer.status == 200, await page.content()
    field = page.get_by_label("Type a message")
    for words in (WORDS[0], WORDS[3], WORDS[40]):
        await field.fill(words)
        await field.press("Enter")
        await expect(page.get_by_role("log")).to_contain_text(words.strip()[:30])
    await holds(page, "talk page")
    await page.goto(origin)
    await page.locator("goassist-widget").get_by_role("button").first.click()
    await page.get_by_label("Type a message").fill(WORDS[3])
    await page.get_by_label("Type a message").press("Enter")
    await expect(page.get_by_role("log")).to_contain_text(WORDS[3][:20])
    await holds(page, "widget")
    assert await page.evaluate(IN_SHADOW) == 0


async def the_console(page: Page, made: dict[str, Any]) -> None:
    await log_in(page, {"email": "owner@hostile.example", "password": "a password for this test"})
    await holds(page, "overview")
    console = "/admin/sessions_app"
    assistant = f"{console}/assistant/{made['assistant'].replace('_', '_5F')}"
    session = f"{console}/session/{made['session'].replace('_', '_5F')}"
    for address in (
        f"{console}/session/", f"{session}/change/", f"{session}/erase/", f"{console}/assistant/",
        f"{assistant}/change/",
        f"{assistant}/review/", f"{assistant}/embed/", f"{console}/assistantversion/", f"{console}/publishablekey/",
        f"{console}/secretkey/", f"{console}/invitation/", f"{console}/auditentry/", f"{console}/auditentry/?p=1",
        f"{console}/usageday/", f"{console}/livesession/", f"{console}/tenant/", f"{console}/membership/",
        f"{console}/session/?q=%3Cimg%20data-xss%20src%3Dx%20onerror%3D__ran()%3E",
        f"{console}/assistant/?q=%22%3E%3Cimg%20data-xss%20src%3Dx%20onerror%3D__ran()%3E",
        "/accounts/login/?next=%22%3E%3Cimg%20data-xss%20src%3Dx%20onerror%3D__ran()%3E", "/accounts/",
        "/admin/search/?s=%3Cimg%20data-xss%20src%3Dx%20onerror%3D__ran()%3E", "/t/%3Cimg%20data-xss%3E/x/",
    ):  # fmt: skip
        answer = await page.goto(address)
        assert answer is not None and answer.status in {200, 404}, (address, answer and answer.status)
        await holds(page, address)
