"""Pictures of the visitor's pages in every state, light and dark, phone and desktop.

`python -m tests.browser.screenshots DIR [NAME …]`, a name being that of a scene or of one picture. The pages talk to
the fake office, so that every state can be reached; looking at the pictures is up to people.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import django
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.office import Office, Peer
from tests.browser.site import CHROMIUM, FAKE_MICROPHONE, ORIGIN, QUIET, serve
from tests.browser.worklets import served_worklets

SCREENS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
Scene = Callable[[Page, Office], Awaitable[None]]


async def idle(page: Page, office: Office) -> None:
    pass


async def _call(page: Page, office: Office) -> Peer:
    await page.get_by_role("button", name="Talk").click()
    peer = await office.peer(1)
    peer.event("turn.done", reply=0, text="Riverside Vet Clinic, good morning. How can I help?", interrupted=False)
    peer.event("caption.final", text="What does a check-up for a cat cost?", origin="voice")
    peer.event("turn.done", reply=1, text="A check-up costs 45 dollars, and", interrupted=True)
    await page.wait_for_timeout(2500)
    return peer


async def listening(page: Page, office: Office) -> None:
    peer = await _call(page, office)
    peer.state("LISTENING")
    peer.event("caption.partial", text="and what are your opening hours on")
    await page.wait_for_timeout(200)


async def thinking(page: Page, office: Office) -> None:
    peer = await _call(page, office)
    peer.event("caption.final", text="And what are your opening hours on Saturday?", origin="voice")
    peer.state("THINKING")
    await page.wait_for_timeout(200)


async def speaking(page: Page, office: Office) -> None:
    peer = await _call(page, office)
    peer.event("caption.final", text="And what are your opening hours on Saturday?", origin="voice")
    peer.begin_reply(2, "On Saturday we are open from nine to one, and for emergencies")
    peer.faces(
        90, jawOpen=0.55, mouthStretchLeft=0.4, mouthStretchRight=0.4, mouthLowerDownLeft=0.3, mouthLowerDownRight=0.3
    )
    await page.wait_for_timeout(700)


async def detour(page: Page, office: Office) -> None:
    """The network lets no call through: the agent speaks over the websocket."""
    office.mute_answers = True
    await page.get_by_role("button", name="Talk").click()
    peer = await office.wire_peer(1)
    peer.event("turn.done", reply=0, text="Riverside Vet Clinic, good morning. How can I help?", interrupted=False)
    peer.event("caption.final", text="What are your opening hours on Saturday?", origin="voice")
    peer.begin_reply(1, "On Saturday we are open from nine to one, and for emergencies")
    peer.faces(90, jawOpen=0.55, mouthStretchLeft=0.4, mouthStretchRight=0.4)
    await page.locator('[data-part="quality"]').wait_for()
    await page.wait_for_timeout(300)


async def muted(page: Page, office: Office) -> None:
    await _call(page, office)
    await page.get_by_role("button", name="Mute").click()
    await page.wait_for_timeout(200)


async def busy(page: Page, office: Office) -> None:
    office.offer_errors.append({"code": "busy", "text": "No free seat.", "retry_after_s": 12})
    await page.get_by_role("button", name="Talk").click()
    await page.get_by_role("alert").wait_for()
    await page.wait_for_timeout(300)


async def queued(page: Page, office: Office) -> None:
    office.places = [2]
    await page.get_by_role("button", name="Talk").click()
    await page.get_by_role("alert").wait_for()
    await page.wait_for_timeout(300)


async def lost(page: Page, office: Office) -> None:
    peer = await _call(page, office)
    office.offer_errors.extend({"code": "unavailable", "text": "", "retry_after_s": 5} for _ in range(9))
    peer.control({"type": "moved"})
    await page.wait_for_timeout(900)


async def ended(page: Page, office: Office) -> None:
    peer = await _call(page, office)
    peer.event("ended", reason="idle")
    await page.wait_for_timeout(400)


async def chat(page: Page, office: Office) -> None:
    for text in ("Do you see rabbits?", "And how much is a nail trim?"):
        await page.get_by_label("Type a message").fill(text)
        await page.keyboard.press("Enter")
        await page.get_by_role("log").get_by_text(f"You wrote: {text}").wait_for()


async def settings(page: Page, office: Office) -> None:
    await page.get_by_role("button", name="Sound and face").click()
    await page.wait_for_timeout(300)


async def faceless(page: Page, office: Office) -> None:
    await page.get_by_role("button", name="Sound and face").click()
    await page.get_by_role("switch").uncheck()
    await page.get_by_role("button", name="Done").click()
    await speaking(page, office)


async def refused(page: Page, office: Office) -> None:
    await page.get_by_role("button", name="Talk").click()
    await page.get_by_role("alert").wait_for()
    await page.wait_for_timeout(300)


SCENES: dict[str, tuple[str, Scene]] = {
    "idle": ("/talk/", idle), "listening": ("/talk/", listening), "thinking": ("/talk/", thinking),
    "speaking": ("/talk/", speaking), "detour": ("/talk/", detour), "muted": ("/talk/", muted),
    "busy": ("/talk/", busy), "queued": ("/talk/", queued), "lost": ("/talk/", lost),
    "ended": ("/talk/", ended), "chat": ("/talk/", chat), "settings": ("/talk/", settings),
    "faceless": ("/talk/", faceless), "home": ("/", idle), "error": ("/lost/", idle),
}  # fmt: skip
REFUSING: dict[str, tuple[str, Scene]] = {"refused": ("/talk/", refused)}


async def take(browser: Browser, scenes: dict[str, tuple[str, Scene]], folder: Path, wanted: set[str]) -> None:
    for name, (path, scene) in scenes.items():
        for screen, viewport in SCREENS.items():
            for scheme in ("light", "dark"):
                if wanted and not wanted & {name, f"{name}-{screen}-{scheme}"}:
                    continue
                office = Office()
                context = await browser.new_context(viewport=viewport, color_scheme=scheme)
                await serve(context)
                await office.open(context)
                page = await context.new_page()
                await page.goto(ORIGIN + path)
                await scene(page, office)
                await page.screenshot(path=folder / f"{name}-{screen}-{scheme}.png")
                await context.close()
                await office.close()


async def main(folder: Path, wanted: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright, served_worklets() as worklets:
        for flags, scenes in (
            (FAKE_MICROPHONE, SCENES),
            (["--deny-permission-prompts", "--use-fake-device-for-media-stream"], REFUSING),
        ):
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *worklets, *flags])
            await take(browser, scenes, folder, wanted)
            await browser.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")
    django.setup()
    asyncio.run(main(Path(sys.argv[1]), set(sys.argv[2:])))
