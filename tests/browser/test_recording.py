"""What a visitor sees of recording: asked once and politely, a sign while it lasts, and a way out of it at any time."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.office import Office
from tests.browser.test_everyone_can_use_it import violations
from tests.browser.test_talk_page import state, wait_until

pytestmark = pytest.mark.slow
Talk = Callable[..., Any]


def box(page: Page) -> Any:
    return page.get_by_role("group", name="Recording of this call")


async def asked(talk: Talk, **options: Any) -> tuple[Page, Office]:
    page, office = await talk(**options)
    office.records = True
    await page.get_by_role("button", name="Talk").click()
    await office.peer(1)
    await expect(box(page)).to_contain_text("May this call be recorded?")
    return page, office


async def recorded(talk: Talk, **options: Any) -> tuple[Page, Office]:
    page, office = await asked(talk, **options)
    await page.get_by_role("button", name="Yes, record").click()
    await wait_until(page, lambda: office.consents == ["PUT"])
    await expect(box(page)).to_be_hidden()
    (await office.peer(1)).event("recording", on=True)
    await expect(box(page)).to_contain_text("Recording")
    return page, office


async def test_where_calls_are_not_recorded_nothing_is_said_of_it(talk: Talk) -> None:
    page, office = await talk()
    await page.get_by_role("button", name="Talk").click()
    await office.peer(1)
    await expect(state(page)).to_have_text("Listening")
    await page.wait_for_timeout(200)
    await expect(box(page)).to_be_hidden()
    assert office.consents == []


async def test_the_question_does_not_hold_up_the_call(talk: Talk) -> None:
    page, office = await asked(talk)
    await expect(state(page)).to_have_text("Listening")
    await expect(box(page).get_by_role("status")).to_have_text("May this call be recorded?")
    assert office.consents == []


async def test_a_no_is_taken_for_the_whole_session(talk: Talk) -> None:
    page, office = await asked(talk)
    await page.get_by_role("button", name="No", exact=True).click()
    await expect(box(page)).to_be_hidden()
    await wait_until(page, lambda: office.consents == ["DELETE"])
    (await office.peer(1)).fall_silent()
    await office.peer(2)
    await expect(state(page)).to_have_text("Listening")
    await page.wait_for_timeout(200)
    await expect(box(page)).to_be_hidden()


async def test_a_yes_is_recorded_when_the_worker_says_so_and_may_be_taken_back(talk: Talk) -> None:
    page, office = await recorded(talk)
    await page.get_by_role("button", name="Stop and delete").click()
    await expect(box(page)).to_contain_text("The recording was deleted.")
    assert office.consents == ["PUT", "DELETE"]
    (await office.peer(1)).event("recording", on=False)
    await page.wait_for_timeout(100)
    await expect(box(page)).to_contain_text("The recording was deleted.")


async def test_a_recorded_call_can_be_deleted_when_it_is_over(talk: Talk) -> None:
    page, office = await recorded(talk)
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(box(page)).to_contain_text("This call was recorded.")
    await page.get_by_role("button", name="Delete the recording").click()
    await expect(box(page)).to_contain_text("The recording was deleted.")
    assert office.consents == ["PUT", "DELETE"]


async def test_what_cannot_be_done_is_said_and_can_be_tried_again(talk: Talk) -> None:
    page, office = await asked(talk)
    office.consent_errors = 1
    await page.get_by_role("button", name="Yes, record").click()
    await expect(box(page)).to_contain_text("That did not work. Please try again.")
    await page.get_by_role("button", name="Yes, record").click()
    await expect(box(page)).to_be_hidden()
    (await office.peer(1)).event("recording", on=True)
    office.consent_errors = 1
    await page.get_by_role("button", name="Stop and delete").click()
    await expect(box(page)).to_contain_text("That did not work. Please try again.")
    await page.get_by_role("button", name="Stop and delete").click()
    await expect(box(page)).to_contain_text("The recording was deleted.")
    assert office.consents == ["PUT", "PUT", "DELETE", "DELETE"]


async def test_a_recording_that_ends_by_itself_is_shown_as_over(talk: Talk) -> None:
    page, office = await recorded(talk)
    (await office.peer(1)).event("recording", on=False)
    await expect(box(page)).to_contain_text("This call was recorded.")


async def test_a_new_call_begins_with_a_new_question(talk: Talk) -> None:
    page, _ = await recorded(talk)
    await page.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("button", name="Talk").click()
    await expect(box(page)).to_contain_text("May this call be recorded?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_question_and_sign_are_fit_for_everybody(talk: Talk, scheme: str, width: int) -> None:
    page, office = await asked(talk, color_scheme=scheme, viewport={"width": width, "height": 844})
    assert await violations(page) == []
    yes = page.get_by_role("button", name="Yes, record")
    await yes.focus()
    await page.keyboard.press("Enter")
    await wait_until(page, lambda: office.consents == ["PUT"])
    (await office.peer(1)).event("recording", on=True)
    await expect(box(page)).to_contain_text("Recording")
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
