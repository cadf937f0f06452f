"""A call is recorded, end to end: the owner turns it on, a visitor agrees and speaks, the owner hears both on the page
of the session; of a visitor who takes consent back nothing is left to hear."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pipeline.media.test_ogg import sides
from tests.routes.other_sites import a_site, key_for, with_widget
from tests.routes.people import PICTURES, at_the_console, findings, seen
from tests.routes.phone import QUESTION, Phone
from tests.routes.visitors import a_visitor, script
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]

TENANT = "riverside-vet"
LOUD = 0.02


@asynccontextmanager
async def an_owner_who_records(stack: Stack) -> AsyncIterator[Page]:
    """At the console; calls are recorded meanwhile."""
    async with at_the_console(stack, stack.tenant(TENANT)["owner"]) as page:
        await calls_are_recorded(page, True)
        try:
            yield page
        finally:
            await calls_are_recorded(page, False)


async def calls_are_recorded(page: Page, wanted: bool) -> None:
    """By the console's own form."""
    await page.goto("/admin/sessions_app/privacy/")
    await page.get_by_label("Record calls").set_checked(wanted)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("successfully")).to_be_visible()


async def says(phone: Phone, method: str) -> None:
    """The visitor's yes (PUT) or no (DELETE)."""
    path = f"/sessions/{phone.id}/recording"
    status, _ = await asyncio.to_thread(phone.stack.api, method, path, None, phone.session["token"])
    assert status == 204


def told(phone: Phone) -> list[bool]:
    return [event["on"] for event in phone.events("recording")]


async def opened(page: Page, session_id: str, recordings: int) -> None:
    """The page of the session, once it shows so many."""
    for _ in range(60):
        await page.goto(f"/admin/sessions_app/session/{session_id.replace('_', '_5F')}/change/")
        if await page.locator("audio").count() == recordings:
            return
        await asyncio.sleep(0.25)
    raise AssertionError(f"{await page.locator('audio').count()} recordings instead of {recordings}")


async def plays(page: Page) -> dict[str, Any]:
    """From the turn that the visitor asked in; how the player stands when it has played a little."""
    await page.get_by_role("button", name="Play the recording at turn 1.1").click()
    audio = page.locator("audio")
    await expect(audio).to_have_js_property("paused", False)
    await page.wait_for_function("() => document.querySelector('audio').currentTime > 0.5")
    state: dict[str, Any] = await audio.evaluate("(audio) => ({at: audio.currentTime, length: audio.duration})")
    await audio.evaluate("(audio) => { audio.currentTime = audio.duration - 1; }")
    await page.wait_for_function("() => document.querySelector('audio').ended")
    return state


async def test_a_call_is_recorded_heard_and_deleted(embedded_stack: Stack, tmp_path: Path) -> None:
    async with an_owner_who_records(embedded_stack) as page:
        phone = await Phone(embedded_stack, TENANT).dial()
        assert phone.session["recording"] is True
        await says(phone, "PUT")
        await phone.line.until(lambda: told(phone) == [True], 10)
        await phone.greeted()
        await phone.ask()
        await phone.hang_up()

        await opened(page, phone.id, 1)
        player = await plays(page)
        assert 5 < player["length"] < 60
        sound = await page.context.request.get(await page.locator("audio").evaluate("(audio) => audio.src"))
        (tmp_path / "call.ogg").write_bytes(await sound.body())
        visitor, assistant = sides(tmp_path / "call.ogg")
        assert abs(visitor).max() > LOUD and abs(assistant).max() > LOUD, "one of them cannot be heard"
        assert abs(visitor[: 48_000 * 2]).max() < LOUD, "the greeting is not the visitor's"
        await seen(page, "recording")

        await page.get_by_text("Delete", exact=True).click()
        await page.get_by_role("button", name="Delete this recording for good").click()
        await expect(page.get_by_text("The recording is deleted.")).to_be_visible()
        assert await page.locator("audio").count() == 0
        await page.goto("/admin/sessions_app/auditentry/")
        for action in ("file.read", "file.deleted"):
            await expect(page.get_by_text(action).first).to_be_visible()


async def test_of_who_takes_consent_back_nothing_is_to_be_heard(embedded_stack: Stack) -> None:
    async with an_owner_who_records(embedded_stack) as page:
        phone = await Phone(embedded_stack, TENANT).dial()
        await says(phone, "PUT")
        await phone.line.until(lambda: told(phone) == [True], 10)
        await phone.greeted()
        await says(phone, "DELETE")
        await phone.line.until(lambda: told(phone) == [True, False], 10)
        await phone.ask()
        await phone.hang_up()
        await opened(page, phone.id, 0)
        await expect(page.get_by_text("the visitor refused to be recorded")).to_be_visible()
        left = Path(embedded_stack.env["GOASSIST_DATA"]) / "recordings"
        for _ in range(50):
            if not list(left.iterdir()):
                break
            await asyncio.sleep(0.1)
        assert list(left.iterdir()) == [], "the worker still has it"


async def test_the_widget_asks_in_its_language_and_shows_what_is_done(embedded_stack: Stack, tmp_path: Path) -> None:
    theirs = {"html": ""}
    async with an_owner_who_records(embedded_stack) as console:
        with a_site(lambda: theirs["html"]) as origin:
            key = key_for(embedded_stack, TENANT, origin)
            theirs["html"] = with_widget(embedded_stack, key, language="de")
            async with a_visitor(origin, script(tmp_path / "visitor.wav", 9.0, QUESTION)) as visitor:
                page = visitor.page
                await page.locator("goassist-widget").get_by_role("button").first.click()
                await page.get_by_role("button", name="Sprechen", exact=True).click()
                box = page.get_by_role("group", name="Aufnahme dieses Gesprächs")
                await expect(box).to_contain_text("Darf dieses Gespräch aufgenommen werden?", timeout=30_000)
                await taken(page, "widget-recording-asked")
                assert await findings(page, "goassist-widget") == []
                await page.get_by_role("button", name="Ja, aufnehmen").click()
                await expect(box).to_contain_text("Aufnahme läuft")
                await taken(page, "widget-recording-on")
                assert await findings(page, "goassist-widget") == []
                await expect(page.get_by_role("log")).to_contain_text(re.compile("saturday", re.I), timeout=40_000)
                await page.get_by_role("button", name="Beenden", exact=True).click()
                await expect(box).to_contain_text("Dieses Gespräch wurde aufgenommen.")
                session_id = visitor.session_id
                await opened(console, session_id, 1)
                await page.get_by_role("button", name="Aufnahme löschen").click()
                await expect(box).to_contain_text("Die Aufnahme wurde gelöscht.")
                await opened(console, session_id, 0)


async def taken(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def test_where_calls_are_not_recorded_nobody_is_asked(embedded_stack: Stack) -> None:
    phone = await Phone(embedded_stack, TENANT).dial()
    assert phone.session["recording"] is False
    path = f"/sessions/{phone.id}/recording"
    status, problem = await asyncio.to_thread(embedded_stack.api, "PUT", path, None, phone.session["token"])
    assert (status, problem["detail"]) == (409, "Calls are not recorded here.")
    await phone.hang_up()
