"""Barge-in as Chromium plays it: the server's speech-start event → the talk page is silent.

The whole product runs, with its embedded engines. A visitor asks question after question, each over the reply to the
one before. The page's own messages say when the server noticed (`hold`, with the session's clock; the beats map that to
the page's clock, by the fastest of them); an analyser beside the loudspeaker says when nothing is played any more.
"""

import asyncio
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from benchmarks.inproc.tally import spread
from benchmarks.talk import product
from tests.routes.visitors import CHROMIUM, FLAGS, WITHOUT_WEBRTC, script

GREETING_S = 11.0
BETWEEN_S = 3.2
"""From the end of a question to the next: the reply has begun by then and is not over."""
QUESTION_S = 2.6
QUESTIONS = Path(__file__).parents[1] / "pipeline" / "soak" / "speech" / "lines.json"
QUIET_MS = 60.0
"""Silence shorter than this is one between words."""

WATCH = """
window.__bench = {messages: [], audible: []};
const bench = window.__bench;
const note = ({ data }) => {
  const at = performance.now();
  if (typeof data !== 'string') return;
  const { type, t_audio_ms, reply } = JSON.parse(data);
  if (['beat', 'hold', 'resume', 'stop', 'reply'].includes(type)) bench.messages.push({ at, type, t_audio_ms, reply });
};
const Connection = window.RTCPeerConnection;
if (Connection) {
  window.RTCPeerConnection = class extends Connection {
    createDataChannel(...args) {
      const channel = super.createDataChannel(...args);
      channel.addEventListener('message', note);
      return channel;
    }
  };
}
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(url, ...rest) {
    super(url, ...rest);
    if (String(url).includes('/audio/')) this.addEventListener('message', note);
  }
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode && !bench.ear) {
    bench.ear = this.context.createAnalyser();
    bench.ear.fftSize = 256;
    connect.call(this, bench.ear);
    const samples = new Float32Array(bench.ear.fftSize);
    let audible = false;
    const look = () => {
      bench.ear.getFloatTimeDomainData(samples);
      const loud = samples.some((x) => Math.abs(x) > 0.005);
      if (loud !== audible) bench.audible.push([performance.now(), audible = loud]);
      setTimeout(look, 0);
    };
    look();
  }
  return connect.call(this, target, ...rest);
};
"""
"""Runs before the page: keeps what comes on the control channel or its socket, and when what the page plays is
audible."""


def measure(interruptions: int, over_websocket: int) -> dict[str, Any]:
    """So many over WebRTC, and so many over a websocket, as where UDP is blocked (0: not at all)."""
    with product(seats=2) as running:
        figures = _measured(running.url, interruptions, WATCH)
        if over_websocket:
            figures["websocket"] = _measured(running.url, over_websocket, WITHOUT_WEBRTC + WATCH)
    return figures


def _measured(url: str, interruptions: int, before: str) -> dict[str, Any]:
    print(f"browser, {interruptions} interruptions ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        texts = list(json.loads(QUESTIONS.read_text())["lines"].values())
        parts: list[float | str] = [GREETING_S]
        for number in range(interruptions + 1):
            parts += [texts[number % len(texts)], BETWEEN_S]
        microphone = script(Path(folder) / "visitor.wav", *parts)
        seconds = GREETING_S + (interruptions + 1) * (QUESTION_S + BETWEEN_S) + 2.0
        seen = asyncio.run(_visit(f"{url}/t/riverside-vet/reception/", microphone, seconds, before))
    delays = silences(seen["messages"], seen["audible"])
    return {"barge_in_ms": spread(delays), "interruptions": len(delays)}


async def _visit(url: str, microphone: Path, seconds: float, before: str) -> dict[str, Any]:
    async with async_playwright() as playwright:
        arguments = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            page = await browser.new_page()
            await page.add_init_script(before)
            await page.goto(url)
            await page.get_by_role("button", name="Talk").click()
            await asyncio.sleep(seconds)
            seen: dict[str, Any] = await page.evaluate(
                "({messages: window.__bench.messages, audible: window.__bench.audible})"
            )
            return seen
        finally:
            await browser.close()


def silences(messages: Sequence[dict[str, Any]], audible: Sequence[Sequence[Any]]) -> list[float]:
    """For each `hold` that came while the page could be heard: ms from the server's event to the last audible sound.

    `audible`: [page's ms, whether it is audible from then on], in order.
    """
    beats = [m["at"] - m["t_audio_ms"] for m in messages if m["type"] == "beat"]
    if not beats:
        return []
    found = []
    for number, hold in enumerate(messages):
        if hold["type"] != "hold":
            continue
        noticed = hold["t_audio_ms"] + min(beats)
        resumed = next((m["at"] for m in messages[number:] if m["type"] == "resume"), math.inf)
        until_resumed = [change for change in audible if change[0] < resumed]
        if _heard_at(until_resumed, noticed):
            found.append(max(0.0, _silent_from(until_resumed, noticed) - noticed))
    return found


def _heard_at(audible: Sequence[Sequence[Any]], at: float) -> bool:
    """Sound, or a silence between words that was over less than QUIET_MS later."""
    before = [heard for t, heard in audible if t <= at]
    after = next((t for t, heard in audible if t > at and heard), math.inf)
    return bool(before) and (before[-1] or after - at < QUIET_MS)


def _silent_from(audible: Sequence[Sequence[Any]], at: float) -> float:
    """When sound ends after `at` and stays away for QUIET_MS."""
    last = at
    for number, (t, heard) in enumerate(audible):
        if heard or t < at:
            continue
        last = t
        if number + 1 == len(audible) or audible[number + 1][0] - t >= QUIET_MS:
            return last
    return last
