"""The talk page against a real WebRTC peer: what the visitor sees, hears and can do."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.office import Office

pytestmark = pytest.mark.slow
Talk = Callable[..., Any]


def state(page: Page) -> Any:
    return page.locator('[data-part="state"]')


async def called(talk: Talk, **options: Any) -> tuple[Page, Office]:
    page, office = await talk(**options)
    await page.get_by_role("button", name="Talk").click()
    await office.peer(1)
    await expect(state(page)).to_have_text("Listening")
    return page, office


async def test_a_click_on_talk_opens_a_call_with_the_processing_that_keeps_echoes_out(talk: Talk) -> None:
    page, office = await called(talk)
    assert office.requests[0]["assistant"] == "3f6b2f0e-8b7f-4c9d-9a40-5c1f0d6a1b11"
    assert office.requests[0]["headers"]["authorization"] == "Bearer pk_test"
    assert office.requests[0]["channel"] == "voice"
    offer = await office.message("offer")
    assert "m=audio" in offer["sdp"]
    assert "m=application" in offer["sdp"]


async def test_captions_are_shown_while_they_grow_and_kept_when_they_are_final(talk: Talk) -> None:
    page, office = await called(talk)
    peer = await office.peer(1)
    peer.event("caption.partial", text="what are your")
    await expect(page.locator('[data-part="live-visitor"]')).to_contain_text("what are your")
    peer.event("caption.final", text="What are your opening hours?", origin="voice")
    await expect(page.get_by_role("log")).to_contain_text("What are your opening hours?")
    peer.begin_reply(1, "On Saturday we are open")
    await expect(page.locator('[data-part="live-agent"]')).to_contain_text("On Saturday we are open")
    await expect(state(page)).to_have_text("Speaking")
    peer.event("turn.done", reply=1, text="On Saturday we are open from nine to one.", interrupted=False)
    await expect(page.get_by_role("log")).to_contain_text("from nine to one.")
    await expect(page.locator('[data-part="live-agent"]')).to_be_hidden()


async def test_a_stop_mutes_at_once_and_the_next_reply_is_heard_again(talk: Talk) -> None:
    page, office = await talk()
    await page.evaluate(SPY_ON_GAIN)
    await page.get_by_role("button", name="Talk").click()
    peer = await office.peer(1)
    await expect(state(page)).to_have_text("Listening")
    peer.begin_reply(1, "Our prices")
    await until(page, "spy.level() > 0.02")
    peer.control({"type": "stop", "reply": 1, "heard_ms": 300})
    await until(page, "spy.gain.gain.value === 0 && spy.level() === 0")
    peer.begin_reply(2, "We open at nine")
    await until(page, "spy.gain.gain.value === 1 && spy.level() > 0.02")


async def test_the_stop_button_silences_the_agent_here_and_there(talk: Talk) -> None:
    page, office = await called(talk)
    peer = await office.peer(1)
    stop = page.get_by_role("button", name="Stop")
    await expect(stop).to_have_attribute("aria-disabled", "true")
    peer.begin_reply(1, "Our prices")
    await expect(stop).to_have_attribute("aria-disabled", "false")
    await stop.click()
    await wait_until(page, lambda: {"type": "stop"} in peer.heard)


async def test_mute_is_said_in_words_and_end_hangs_up(talk: Talk) -> None:
    page, office = await called(talk)
    await page.get_by_role("button", name="Mute").click()
    await expect(state(page)).to_have_text("You are muted")
    await page.get_by_role("button", name="Unmute").click()
    await expect(state(page)).to_have_text("Listening")
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(state(page)).to_have_text("Conversation ended")
    await expect(page.get_by_role("button", name="Talk")).to_be_focused()
    await office.message("hangup")


async def test_a_worker_that_falls_silent_is_replaced_and_the_transcript_stays(talk: Talk) -> None:
    page, office = await called(talk)
    first = await office.peer(1)
    first.event("turn.done", reply=1, text="Hello, this is the clinic.", interrupted=False)
    first.fall_silent()
    second = await office.peer(2)
    await expect(state(page)).to_have_text("Listening")
    second.event("turn.done", reply=0, text="Where were we?", interrupted=False)
    await expect(page.get_by_role("log").locator(".line")).to_have_text(
        ["AssistantHello, this is the clinic.", "AssistantWhere were we?"]
    )
    assert len(office.requests) == 1


async def test_a_call_that_is_moved_offers_again_at_once(talk: Talk) -> None:
    page, office = await called(talk)
    (await office.peer(1)).control({"type": "moved"})
    await office.peer(2)
    await expect(state(page)).to_have_text("Listening")


async def test_a_call_outlives_its_websocket_which_comes_back(talk: Talk) -> None:
    page, office = await called(talk)
    await office.sockets[0].close(code=1012, reason="restart")
    await wait_until(page, lambda: len(office.sockets) == 2)
    (await office.peer(1)).event("caption.final", text="Still there?", origin="voice")
    await expect(page.get_by_role("log")).to_contain_text("Still there?")
    assert len(office.peers) == 1


async def test_a_full_house_is_said_with_a_countdown_and_tried_again(talk: Talk) -> None:
    page, office = await talk()
    office.offer_errors.append({"code": "busy", "text": "No free seat.", "retry_after_s": 2})
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("All lines are busy")
    await expect(page.get_by_role("alert")).to_contain_text("Next attempt in")
    await office.peer(1)
    await expect(state(page)).to_have_text("Listening")
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_who_waits_in_line_sees_the_place_and_is_connected_in_turn(talk: Talk) -> None:
    page, office = await talk()
    office.places = [2, 1]
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("You are number 2 in line")
    await expect(state(page)).to_have_text("Waiting for a free line")
    office.seat.set()
    await expect(page.get_by_role("alert")).to_contain_text("You are number 1 in line")
    office.seat.set()
    await office.peer(1)
    await expect(state(page)).to_have_text("Listening")
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_waiting_in_line_may_be_called_off(talk: Talk) -> None:
    page, office = await talk()
    office.places = [3]
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("You are number 3 in line")
    await page.get_by_role("button", name="Stop waiting").click()
    await expect(state(page)).to_have_text("Ready when you are")


async def test_a_rate_limit_waits_as_long_as_the_server_says_and_may_be_called_off(talk: Talk) -> None:
    page, office = await talk()
    office.refusals.append({"status": 429, "code": "rate_limited", "detail": "", "retry_after_s": 40})
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("A little too fast")
    await expect(page.get_by_role("alert")).to_contain_text("Next attempt in 40 s")
    await page.get_by_role("button", name="Stop waiting").click()
    await expect(state(page)).to_have_text("Ready when you are")
    assert len(office.requests) == 1


async def test_a_month_that_is_used_up_is_said_and_not_waited_for(talk: Talk) -> None:
    page, office = await talk()
    office.refusals.append({"status": 429, "code": "quota_exceeded", "detail": "", "retry_after_s": 2_300_000})
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("No conversations at the moment")
    await expect(page.get_by_role("alert")).not_to_contain_text("Next attempt")
    assert len(office.requests) == 1


async def test_a_refused_microphone_is_explained_and_typing_works(talk: Talk) -> None:
    page, office = await talk(args=["--deny-permission-prompts", "--use-fake-device-for-media-stream"])
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked")
    assert office.requests == []
    await page.get_by_role("button", name="Type instead").click()
    await page.keyboard.type("Do you see rabbits?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log").locator(".line")).to_have_text(
        ["YouDo you see rabbits?", "AssistantYou wrote: Do you see rabbits?"]
    )
    assert office.requests[0]["channel"] == "chat"


async def test_a_missing_microphone_is_explained(talk: Talk) -> None:
    page, _ = await talk(args=["--use-fake-ui-for-media-stream"])
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("No microphone found")


async def test_an_idle_session_ends_in_words(talk: Talk) -> None:
    page, office = await called(talk)
    (await office.peer(1)).event("ended", reason="idle")
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was said for a while")
    await expect(page.get_by_role("button", name="Talk")).to_be_visible()


async def test_a_written_session_that_the_server_closes_says_why(talk: Talk) -> None:
    page, office = await talk()
    await page.get_by_label("Type a message").fill("Hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_contain_text("You wrote: Hello")
    await office.sockets[0].close(code=4410, reason="The session is over (idle).")
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was said for a while")
    await page.get_by_label("Type a message").fill("Hello again")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_contain_text("You wrote: Hello again")
    assert len(office.requests) == 2


async def test_a_page_whose_key_is_not_accepted_says_so(talk: Talk) -> None:
    page, office = await talk()
    office.refusals.append({"status": 403, "code": "forbidden", "detail": "", "retry_after_s": 0})
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("This page may not start conversations")


async def test_words_typed_during_a_call_go_over_the_call(talk: Talk) -> None:
    page, office = await called(talk)
    peer = await office.peer(1)
    await page.get_by_label("Type a message").fill("What does a check-up cost?")
    await page.keyboard.press("Enter")
    await wait_until(page, lambda: {"type": "chat", "text": "What does a check-up cost?"} in peer.heard)
    peer.event("caption.final", text="What does a check-up cost?", origin="chat")
    peer.event("turn.done", reply=1, text="It costs 45 dollars.", interrupted=False)
    await expect(page.get_by_role("log").locator(".line")).to_have_text(
        ["YouWhat does a check-up cost?", "AssistantIt costs 45 dollars."]
    )


async def test_the_face_opens_its_mouth_and_comes_to_rest(talk: Talk) -> None:
    page, office = await called(talk)
    peer = await office.peer(1)
    await page.evaluate(MOUTH_HEIGHT)
    peer.begin_reply(1, "Hello")
    peer.faces(20, jawOpen=0.9)
    await until(page, "mouthHeight() > 25")
    await until(page, "mouthHeight() < 8")


async def test_a_hidden_face_asks_for_no_frames(talk: Talk) -> None:
    page, office = await called(talk)
    peer = await office.peer(1)
    await page.get_by_role("button", name="Sound and face").click()
    await page.get_by_role("switch", name="Show the face").uncheck()
    await wait_until(page, lambda: {"type": "face", "on": False} in peer.heard)
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator(".face")).to_be_hidden()


async def test_devices_can_be_chosen_during_a_call(talk: Talk) -> None:
    page, _ = await called(talk)
    await page.get_by_role("button", name="Sound and face").click()
    microphones = page.get_by_label("Microphone", exact=True)
    await expect(microphones.locator("option")).not_to_have_count(1)
    await microphones.select_option(index=1)
    await page.get_by_role("button", name="Done").click()
    await expect(state(page)).to_have_text("Listening")


async def test_the_connection_is_rated_in_words(talk: Talk) -> None:
    page, _ = await called(talk)
    await expect(page.locator('[data-part="quality-words"]')).to_have_text("Good connection")


async def until(page: Page, expression: str) -> None:
    """Playwright's own `wait_for_function` needs `eval`, which the page's policy forbids."""
    while not await page.evaluate(expression):
        await page.wait_for_timeout(20)


async def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Until something that the page did has arrived here."""
    while not condition():
        await page.wait_for_timeout(20)


SPY_ON_GAIN = """() => {
  const create = AudioContext.prototype.createGain;
  AudioContext.prototype.createGain = function () {
    const gain = create.call(this);
    const ear = this.createAnalyser();
    gain.connect(ear);
    const samples = new Float32Array(ear.fftSize);
    window.spy = { gain, level() { ear.getFloatTimeDomainData(samples); return Math.max(...samples.map(Math.abs)); } };
    return gain;
  };
}"""
MOUTH_HEIGHT = """() => {
  window.mouthHeight = () => document.querySelector('[data-part="inner"]').getBBox().height;
}"""
