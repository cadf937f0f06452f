"""Hostile words in every place where words are shown, in a real browser: none runs, none becomes an element.

The browser takes the pages without their policy, so that it is the pages themselves that hold.
"""

import html
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.routes.hostile import HOOK, RAN, READABLE, WORDS, look
from tests.routes.other_sites import a_site, with_widget
from tests.routes.people import log_in
from tests.routes.visitors import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

LISTS = (
    "assistant assistantversion invitation livesession membership publishablekey secretkey session tenant usageday "
    "webhookendpoint"
).split()
PLANT = """
import json
from datetime import timedelta
from django.utils import timezone
from sessions_app.models import *
from sessions_app.webhooks.models import WebhookDelivery, WebhookEvent
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.history.services import create_session
from sessions_app.tenants.audit import record
from sessions_app.tenants.invitations import invite
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
    day = now.date()
    UsageDay.objects.create(tenant=tenant, day=day, assistant=assistant, assistant_name=words[12], channel="chat")
    live = create_session(tenant_id=tenant.pk, assistant=assistant, version=version, channel="voice")
    Session.objects.filter(pk=live.pk).update(state="live", worker=words[16][:60], visitor=words[17][:60])
    hook = WebhookEndpoint.objects.create(tenant=tenant, url="https://hooks.example/" + words[3], failures=2,
        description=words[13], disabled_reason=words[18], first_failure_at=now)
    event = WebhookEvent.objects.create(tenant=tenant, type=words[40], payload=words[20])
    WebhookDelivery.objects.create(tenant=tenant, endpoint=hook, event=event, last_error=words[21], response=words[22],
        log=[{{"at": now.isoformat(), "status": 500, "error": words[23], "duration_ms": 1}}])
    SingleSignOn.objects.create(tenant=tenant, issuer=words[14], client_id=words[15], domains=[words[19]])
    SsoIdentity.objects.create(tenant=tenant, user=user, issuer=words[14], subject=words[24])
    other = User.objects.create_user(words[3] + "@hostile.example", "a password for this test")
    add_member(tenant=tenant, user=other, role=Role.EDITOR)
    Invitation.objects.create(tenant=tenant, email=words[11][:200], role="viewer", token_hash="x", expires_at=now)
    _, token = invite(tenant=tenant, email=words[3] + "@new.example", role=Role.VIEWER)
print(json.dumps({{"assistant": assistant.pk, "session": session.pk, "site": site.key, "hook": hook.pk,
    "version": version.pk, "invitation": token}}))
"""


IN_A_QUERY = "%3Cimg%20data-xss%20src%3Dx%20onerror%3D__ran()%3E"
"""WORDS[3]."""


async def holds(page: Page, what: str, *, shows: int = 1) -> None:
    """Nothing ran or became an element, no link leads into a script, and at least so many of READABLE can be read."""
    seen = await look(page)
    assert seen.harmless, (what, seen)
    assert len(seen.words) >= shows, (what, len(seen.words))


async def opens(page: Page, address: str, *, status: int = 200, shows: int = 1) -> None:
    answer = await page.goto(address)
    assert answer is not None and answer.status == status, (address, answer and answer.status)
    await holds(page, address, shows=shows)


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
            await the_look_notices(page)
            await visitors_pages(page, origin)
            await pages_before_a_login(page, made)
            await the_console(page, made)
            await browser.close()


async def the_look_notices(page: Page) -> None:
    """In the page, in a frame of it and in a shadow tree; links too."""
    await page.goto("/healthz")
    bad, frame = (
        f"<img data-xss src=x onerror={RAN}>",
        "<iframe srcdoc='<img data-xss src=x onerror=__ran()>'></iframe>",
    )
    await page.evaluate("words => { document.body.innerHTML = words }", bad + frame + "<a href=javascript:x>x</a>")
    shadow = "words => { document.querySelector('a').parentElement.attachShadow({mode: 'open'}).innerHTML = words }"
    await page.evaluate(shadow, f"{bad}<p>{html.escape(WORDS[3])}</p>")
    seen = await look(page)
    assert (seen.ran, seen.elements, seen.words) == (3, 3, {WORDS[3]})
    assert "javascript:" in seen.links and not seen.harmless


async def visitors_pages(page: Page, origin: str) -> None:
    """The page's own names, and a talk in which each side says all of it; installed, without a connection; a widget."""
    await opens(page, "/t/hostile/desk/")
    field = page.get_by_label("Type a message")
    for words in (WORDS[0], WORDS[3], WORDS[40]):
        await field.fill(words)
        await field.press("Enter")
        await expect(page.get_by_role("log")).to_contain_text(words.strip()[:30])
    await holds(page, "talk page", shows=4)
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function("async () => (await (await caches.open('goassist-1')).keys()).length > 20")
    await page.context.set_offline(True)
    await page.reload()
    await holds(page, "the installed page without a connection")
    await page.context.set_offline(False)
    await opens(page, "/t/hostile/desk/manifest.webmanifest")
    await page.goto(origin)
    await page.locator("goassist-widget").get_by_role("button").first.click()
    await page.get_by_label("Type a message").fill(WORDS[3])
    await page.get_by_label("Type a message").press("Enter")
    await expect(page.get_by_role("log")).to_contain_text(WORDS[3][:20])
    await holds(page, "widget", shows=2)


async def pages_before_a_login(page: Page, made: dict[str, Any]) -> None:
    """Nobody is logged in. What an address brings is in it, in a field, or nowhere."""
    await opens(page, "/")
    await opens(page, made["invitation"])
    await opens(page, f"/accounts/invitation/{IN_A_QUERY}/", status=404, shows=0)
    await opens(page, f"/t/{IN_A_QUERY}/x/", status=404, shows=0)
    await opens(page, f"/{IN_A_QUERY}", status=404, shows=0)
    for words in (WORDS[3], WORDS[40], f"javascript:{RAN}", f"data:text/html,<script>{RAN}</script>"):
        await opens(page, f"/accounts/login/?next={quote(words, safe='')}")
        await opens(page, f"/accounts/sso/?next={quote(words, safe='')}", shows=0)
    await page.goto("/accounts/login/")
    await page.get_by_label("Email").fill(WORDS[3])
    await page.get_by_label("Password", exact=True).fill("wrong")
    await page.evaluate("document.querySelector('form.form').noValidate = true")
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_load_state()
    await holds(page, "a login that fails")
    forged = "words => { document.body.innerHTML = `<form method=post action=/accounts/login/><input name=login>`"
    await page.evaluate(forged + "; document.querySelector('input').value = words }", WORDS[3])
    async with page.expect_navigation():
        await page.evaluate("document.querySelector('form').submit()")
    await page.get_by_text("You may not see this page.").wait_for()
    await holds(page, "a form without its token", shows=0)


async def the_console(page: Page, made: dict[str, Any]) -> None:
    await log_in(page, {"email": "owner@hostile.example", "password": "a password for this test"})
    await holds(page, "overview")
    console, key = "/admin/sessions_app", {name: str(value).replace("_", "_5F") for name, value in made.items()}
    assistant, session = f"{console}/assistant/{key['assistant']}", f"{console}/session/{key['session']}"
    most = len(READABLE) - 8  # some are cut, or broken by marks, in some places
    for address, shows in {
        f"{session}/change/": most, f"{session}/erase/": 0, f"{assistant}/change/": most, f"{assistant}/review/": 1,
        f"{assistant}/embed/": 2, f"{assistant}/history/": 1, f"{assistant}/delete/": 1,
        f"{console}/assistantversion/{key['version']}/change/": most,
        f"{console}/webhookendpoint/{key['hook']}/change/": 5, f"{console}/auditentry/": 20,
        f"{console}/auditentry/?p=1": 20, f"{console}/singlesignon/": 1, f"{console}/ssoidentity/": 1,
        **{f"{console}/{name}/": 1 for name in LISTS},
        f"{console}/session/?q={IN_A_QUERY}": 1,
        f"{console}/assistant/?q=%22%3E{IN_A_QUERY}": 1,
        f"/admin/search/?s={IN_A_QUERY}": 0, "/accounts/": 0, "/admin/?tenant=" + IN_A_QUERY: 1,
    }.items():  # fmt: skip
        await opens(page, address, shows=shows)
    await opens(page, f"/admin/{IN_A_QUERY}/", status=404, shows=0)
