"""Where the network lets no call through, the talk page goes over a websocket by itself, and says so."""

import array
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.detour import WirePeer
from tests.browser.office import Office
from tests.browser.site import FAKE_MICROPHONE
from tests.browser.test_talk_page import MOUTH_HEIGHT, state, until, wait_until
from tests.browser.worklets import served_worklets

pytestmark = pytest.mark.slow
Talk = Callable[..., Any]

SPY = """() => {
  const create = AudioContext.prototype.createGain;
  AudioContext.prototype.createGain = function () {
    const gain = create.call(this);
    if (window.spy) return gain;
    const ear = this.createAnalyser();
    gain.connect(ear);
    const samples = new Float32Array(ear.fftSize);
    window.spy = { gain, level() { ear.getFloatTimeDomainData(samples); return Math.max(...samples.map(Math.abs)); } };
    return gain;
  };
}"""
"""Listens at the first gain that the page makes: the one before the loudspeaker."""
WITHOUT_WEBRTC = "() => { delete window.RTCPeerConnection; }"


@pytest_asyncio.fixture
async def talk(talk: Talk) -> AsyncIterator[Talk]:
    """As everywhere, and worklets can be loaded."""
    async with served_worklets() as flags:
        yield partial(talk, args=[*FAKE_MICROPHONE, *flags])


def detour(page: Page) -> Any:
    return page.locator('[data-part="detour"]')


async def blocked(talk: Talk) -> tuple[Page, Office, WirePeer]:
    """A call that found no path and stands on the websocket."""
    page, office = await talk()
    office.mute_answers = True
    await page.evaluate(SPY)
    await page.get_by_role("button", name="Talk").click()
    peer = await office.wire_peer(1)
    await expect(state(page)).to_have_text("Listening")
    return page, office, peer


async def test_no_path_within_four_seconds_and_the_page_takes_the_detour_in_words(talk: Talk) -> None:
    page, office = await talk()
    office.mute_answers = True
    await page.get_by_role("button", name="Talk").click()
    await office.peer_made(1)
    began = await page.evaluate("performance.now()")
    await expect(detour(page)).to_contain_text("Your network blocks direct calls", timeout=15_000)
    assert 3000 < await page.evaluate("performance.now()") - began < 8000
    await office.wire_peer(1)
    await expect(state(page)).to_have_text("Listening")
    await expect(page.get_by_role("alert")).to_be_hidden()
    assert office.audio_protocols[0] == ["goassist.v1", "token.of.session"]


async def test_a_browser_without_webrtc_is_on_the_websocket_at_once(talk: Talk) -> None:
    page, office = await talk(init=WITHOUT_WEBRTC)
    await page.get_by_role("button", name="Talk").click()
    await office.wire_peer(1)
    await expect(state(page)).to_have_text("Listening")
    await expect(detour(page)).to_be_visible()
    assert office.peers == []


async def test_the_visitor_is_heard_in_pieces_of_20_ms_without_a_gap(talk: Talk) -> None:
    page, _, peer = await blocked(talk)
    await wait_until(page, lambda: len(peer.packets) >= 150)
    numbers = [seq for seq, _ in peer.packets]
    assert numbers == list(range(len(numbers)))
    samples = array.array("h", b"".join(pcm for _, pcm in peer.packets))
    assert max(map(abs, samples)) > 500, "Chromium's fake microphone beeps"


async def test_the_agent_is_heard_and_a_stop_is_silence_at_once_whatever_is_held(talk: Talk) -> None:
    page, _, peer = await blocked(talk)
    peer.begin_reply(1, "Our prices")
    await until(page, "spy.level() > 0.1")
    peer.hush()
    peer.control({"type": "stop", "reply": 1, "heard_ms": 300})
    await until(page, "spy.gain.gain.value === 0 && spy.level() === 0")
    peer.begin_reply(2, "We open at nine")
    await until(page, "spy.gain.gain.value === 1 && spy.level() > 0.1")


async def test_a_hold_is_silence_and_the_reply_goes_on_when_it_is_resumed(talk: Talk) -> None:
    page, _, peer = await blocked(talk)
    peer.begin_reply(1, "Our prices")
    await until(page, "spy.level() > 0.1")
    peer.hush()
    peer.control({"type": "hold", "reply": 1, "heard_ms": 300})
    await until(page, "spy.level() === 0")
    peer.control({"type": "resume", "reply": 1, "t_audio_ms": peer.now_ms})
    peer.play(1, 5)
    await until(page, "spy.gain.gain.value === 1 && spy.level() > 0.1")


async def test_captions_face_and_buttons_work_as_in_any_call(talk: Talk) -> None:
    page, _, peer = await blocked(talk)
    await page.evaluate(MOUTH_HEIGHT)
    rest = await page.evaluate("mouthHeight()")
    peer.event("caption.final", text="What are your opening hours?", origin="voice")
    await expect(page.get_by_role("log")).to_contain_text("What are your opening hours?")
    peer.begin_reply(1, "On Saturday we are open")
    peer.faces(60, jawOpen=0.8)
    await until(page, f"mouthHeight() > {rest} + 5")
    await expect(state(page)).to_have_text("Speaking")
    await page.get_by_role("button", name="Stop").click()
    await wait_until(page, lambda: {"type": "stop"} in peer.heard)
    await page.get_by_label("Type a message").fill("Do you see rabbits?")
    await page.keyboard.press("Enter")
    await wait_until(page, lambda: {"type": "chat", "text": "Do you see rabbits?"} in peer.heard)
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(state(page)).to_have_text("Conversation ended")
    await expect(detour(page)).to_be_hidden()
    assert {"type": "hangup"} in peer.heard


async def test_a_detour_that_is_lost_or_moved_is_taken_again_without_looking_for_a_path(talk: Talk) -> None:
    page, office, peer = await blocked(talk)
    await peer.lose()
    second = await office.wire_peer(2)
    await expect(state(page)).to_have_text("Listening")
    second.control({"type": "moved"})
    await office.wire_peer(3)
    await expect(state(page)).to_have_text("Listening")
    assert len(office.peers) == 1, "no further WebRTC offer"


async def test_a_place_in_line_is_told_on_the_websocket_too(talk: Talk) -> None:
    page, office = await talk(init=WITHOUT_WEBRTC)
    office.places = [3]
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("You are number 3 in line")
    office.seat.set()
    await office.wire_peer(1)
    await expect(state(page)).to_have_text("Listening")
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_the_quality_shown_is_that_of_the_detour(talk: Talk) -> None:
    page, _, peer = await blocked(talk)
    peer.begin_reply(1, "Our prices")
    await expect(page.locator('[data-part="quality-words"]')).to_have_text("Good connection", timeout=10_000)
    assert "round trip" not in str(await page.locator('[data-part="quality"]').get_attribute("title"))


async def test_a_network_that_blocks_both_ways_is_explained(talk: Talk) -> None:
    page, office = await talk()
    office.mute_answers = office.audio_shut = True
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("alert")).to_contain_text("Your network blocks the call", timeout=20_000)
