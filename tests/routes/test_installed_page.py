"""The talk page as an installed app: it opens without a connection, and what is typed then is said once, on return."""

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.routes.test_talk_in_browser import turns_of
from tests.routes.visitors import a_visitor, script
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(120)]

QUESTION = "Are you open on Saturdays?"


def test_the_manifest_names_the_assistant_and_its_icons(embedded_stack: Stack) -> None:
    page = embedded_stack.page("harbor-law")
    with urllib.request.urlopen(f"{page}manifest.webmanifest", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/manifest+json"
        manifest = json.load(answer)
    assert manifest["start_url"] == manifest["scope"] == "/t/harbor-law/reception/"
    assert manifest["display"] == "standalone" and "Harbor" in manifest["name"]
    for icon in manifest["icons"]:
        with urllib.request.urlopen(embedded_stack.url + icon["src"], timeout=10) as answer:
            assert answer.read(8) == b"\x89PNG\r\n\x1a\n"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}


async def test_what_is_typed_offline_is_sent_once_on_return(embedded_stack: Stack, tmp_path: Path) -> None:
    async with a_visitor(embedded_stack.page("harbor-law"), script(tmp_path / "silent.wav")) as visitor:
        page, context = visitor.page, visitor.page.context
        await page.evaluate("navigator.serviceWorker.ready")
        await page.wait_for_function("async () => (await (await caches.open('goassist-1')).keys()).length > 20")
        await context.set_offline(True)
        await page.reload()
        await page.get_by_label("Type a message").fill(QUESTION)
        await page.get_by_role("button", name="Send").click()
        waiting = page.get_by_role("list", name="Waiting to be sent")
        await expect(waiting).to_contain_text(QUESTION)
        await page.reload()
        await expect(waiting).to_contain_text(QUESTION)
        assert visitor.sessions == []
        await context.set_offline(False)
        await page.evaluate("window.dispatchEvent(new Event('online')); window.dispatchEvent(new Event('online'))")
        await visitor.sees(r"saturday.*assistant.*saturday")
        await expect(waiting).to_be_hidden()
        await page.reload()
        await asyncio.sleep(1)
        assert len(visitor.sessions) == 1
        turns = await turns_of(embedded_stack, "harbor-law", visitor.session_id, 1)
        assert [turn["visitor_text"] for turn in turns if turn["visitor_text"]] == [QUESTION]


async def test_an_answer_that_got_lost_is_asked_for_again_and_the_words_are_not_said_twice(
    embedded_stack: Stack, tmp_path: Path
) -> None:
    """The connection breaks after the server heard the words and before the page heard the answer."""
    async with a_visitor(embedded_stack.page("harbor-law"), script(tmp_path / "silent.wav")) as visitor:
        page, context = visitor.page, visitor.page.context
        lost: list[str] = []

        async def lose_the_first_answer(route: object) -> None:
            if not lost:
                lost.append((await route.fetch()).headers.get("x-request-id", "?"))  # type: ignore[attr-defined]
                await route.abort("connectionreset")  # type: ignore[attr-defined]
            else:
                await route.continue_()  # type: ignore[attr-defined]

        await context.route("**/api/v1/sessions/*/chat", lose_the_first_answer)
        await context.set_offline(True)
        await page.get_by_label("Type a message").fill(QUESTION)
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("list", name="Waiting to be sent")).to_contain_text(QUESTION)
        await context.set_offline(False)
        for _ in range(100):
            if lost:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await visitor.sees(r"saturday.*assistant.*saturday")
        assert len(lost) == 1
        turns = await turns_of(embedded_stack, "harbor-law", visitor.session_id, 1)
        assert [turn["visitor_text"] for turn in turns if turn["visitor_text"]] == [QUESTION]
