"""Visitors for the routes: a real Chromium whose microphone plays a file, and what its call shows from outside."""

import asyncio
import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from tests.speech import spoken

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
WITHOUT_WEBRTC = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"
"""The page then takes a websocket at once."""
WITHOUT_UDP = """
const Free = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Free {
  constructor(configuration = {}) { super({ ...configuration, iceTransportPolicy: "relay" }); }
};
"""
"""As behind a firewall that lets no UDP through: only relays might be used, and there are none. (Chromium's policy
`disable_non_proxied_udp` blocks nothing between two ends of one machine.)"""
RATE_HZ = 48_000

WATCH_CALLS = """
window.__calls = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...args) { super(...args); window.__calls.push(this); }
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode && !window.__ear) {
    window.__ear = this.context.createAnalyser();
    connect.call(this, window.__ear);
  }
  return connect.call(this, target, ...rest);
};
"""
"""Runs before the page: keeps its calls, and listens beside the visitor at whatever the page plays."""
CONNECTED = "window.__calls.some(c => c.connectionState === 'connected')"
LOUDNESS = """async (seconds) => {
  const ear = window.__ear;
  if (!ear) return -1;
  const samples = new Float32Array(ear.fftSize);
  let loudest = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    ear.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    await new Promise((done) => setTimeout(done, 10));
  }
  return loudest;
}"""


def script(path: Path, *parts: float | str, voice: str = "slt") -> Path:
    """A microphone's file: numbers are seconds of silence, texts are spoken. Ends with a minute of silence."""
    pcm = b""
    for part in (*parts, 60.0):
        if isinstance(part, str):
            pcm += spoken(part, voice=voice, rate_hz=RATE_HZ, lead_s=0, tail_s=0)
        else:
            pcm += bytes(2 * int(RATE_HZ * part))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm)
    return path


@dataclass
class Visitor:
    """Somebody at the talk page."""

    page: Page
    sessions: list[dict[str, Any]]
    """Answers of POST /api/v1/sessions, as the page got them."""

    @property
    def session_id(self) -> str:
        return str(self.sessions[-1]["id"])

    async def talk(self) -> None:
        await self.page.get_by_role("button", name="Talk").click()
        for _ in range(300):
            if await self.page.evaluate(CONNECTED):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the call was not connected; the page says: {await self.words()!r}")

    async def talk_without_a_path(self) -> None:
        """Press Talk where no call can come through; until the page has found its other way."""
        await self.page.get_by_role("button", name="Talk").click()
        await expect(self.page.locator('[data-part="detour"]')).to_contain_text("blocks", timeout=15_000)
        await expect(self.page.locator('[data-part="state"]')).to_have_text("Listening", timeout=15_000)
        assert not await self.page.evaluate(CONNECTED)

    async def words(self) -> str:
        return await self.page.locator("main").inner_text()

    async def transcript(self) -> str:
        """Everything the page shows of the conversation, captions under way included."""
        return (await self.page.locator('[data-part="scroller"]').inner_text()).lower()

    async def sees(self, pattern: str, limit_s: float = 40.0) -> None:
        """Until the transcript matches; fails with what it shows instead."""
        shown = ""
        for _ in range(int(limit_s / 0.1)):
            shown = await self.transcript()
            if re.search(pattern, shown, re.DOTALL):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{pattern!r} was not seen within {limit_s:.0f} s; the page shows: {shown!r}")

    async def loudness(self, seconds: float) -> float:
        """The loudest RMS (full scale: 1) of what the page plays during this time."""
        return float(await self.page.evaluate(LOUDNESS, seconds))


@asynccontextmanager
async def a_visitor(url: str, microphone: Path, *, before: str = "") -> AsyncIterator[Visitor]:
    """`before`: a script that runs before the page's own."""
    async with async_playwright() as playwright:
        arguments = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = await browser.new_page()
        sessions: list[dict[str, Any]] = []
        waiting: set[asyncio.Task[None]] = set()

        async def keep(response: Any) -> None:
            if response.request.method == "POST" and response.url.endswith("/api/v1/sessions"):
                sessions.append(await response.json())

        def answered(response: Any) -> None:
            task = asyncio.create_task(keep(response))
            waiting.add(task)
            task.add_done_callback(waiting.discard)

        page.on("response", answered)
        await page.add_init_script(WATCH_CALLS + before)
        await page.goto(url)
        try:
            yield Visitor(page, sessions)
        finally:
            await browser.close()
            if waiting:
                await asyncio.wait(waiting)
