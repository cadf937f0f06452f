"""A client of WHIP (RFC 9725) that shares nothing with our page: it knows HTTP, SDP and RTP."""

import asyncio
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import pytest

from tests.fakes.caller import Caller
from tests.routes.phone import QUESTION
from tests.speech import spoken
from tests.stack import Stack

pytestmark = [pytest.mark.route, pytest.mark.slow, pytest.mark.timeout(180)]
TENANT = "harbor-law"
PATIENCE_S = 60.0
HALF_A_SECOND = 25
"""In pieces of 20 ms."""


@dataclass
class Client:
    """Offers without candidates, sends them after the answer, hangs up."""

    stack: Stack
    bearer: str
    line: Caller
    headers: Message = field(default_factory=Message)
    """Of the answer."""

    async def connect(self, path: str) -> None:
        lines = (await self.line.offer()).splitlines(keepends=True)
        candidates = [line for line in lines if line.startswith(("a=candidate", "a=end-of-candidates"))]
        offer = "".join(line for line in lines if line not in candidates)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, answer = await self._ask("POST", f"/api/v1{path}", offer, "application/sdp")
            if status != 503 or time.monotonic() > deadline:
                break
            await asyncio.sleep(2.0)  # the installation has more to do than it can do well
        assert status == 201, answer
        assert self.headers["Content-Type"] == "application/sdp"
        connection = asyncio.create_task(self.line.accept(answer))
        credentials = [line for line in lines if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2]
        mid = next(line for line in lines if line.startswith("a=mid"))
        fragment = "".join([*credentials, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", mid, *dict.fromkeys(candidates)])
        tag = {"If-Match": self.headers["ETag"]}
        status, answer = await self._ask(
            "PATCH", self.headers["Location"], fragment, "application/trickle-ice-sdpfrag", tag
        )
        assert (status, answer) == (204, "")
        await connection

    async def hang_up(self) -> None:
        assert await self._ask("DELETE", self.headers["Location"]) == (204, "")

    @property
    def session_id(self) -> str:
        return str(self.headers["Location"]).split("/")[4]

    async def over(self) -> None:
        """The session has ended, for the office and on the line."""
        key = self.stack.tenant(TENANT)["secret_key"]
        status, row = await asyncio.to_thread(self.stack.api, "GET", f"/sessions/{self.session_id}", token=key)
        assert (status, row["state"], row["end_reason"]) == (200, "ended", "hangup")
        await self.line.until(self.line.hung_up.is_set)

    async def turns(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Those that are finished, once they are enough."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            rows = await asyncio.to_thread(self.stack.turns, TENANT, self.session_id)
            finished = [row for row in rows if row["finished"]]
            if enough(finished):
                return finished
            assert time.monotonic() < deadline, rows
            await asyncio.sleep(0.2)

    async def _ask(
        self, method: str, path: str, body: str = "", media_type: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        return await asyncio.to_thread(self._asked, method, path, body, media_type, headers or {})

    def _asked(self, method: str, path: str, body: str, media_type: str, headers: dict[str, str]) -> tuple[int, str]:
        url = urllib.parse.urljoin(self.stack.url, path)
        request = urllib.request.Request(url, body.encode() or None, method=method)
        for name, value in {"Authorization": f"Bearer {self.bearer}", "Content-Type": media_type, **headers}.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                if response.status == 201:
                    self.headers = response.headers
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


async def test_the_greeting_is_heard_and_delete_is_the_end(embedded_stack: Stack) -> None:
    key = embedded_stack.tenant(TENANT)["secret_key"]
    body = {"assistant": "reception", "channel": "voice"}
    status, session = await asyncio.to_thread(embedded_stack.api, "POST", "/sessions", body, key)
    assert status == 201, session
    client = Client(embedded_stack, session["token"], Caller())
    try:
        await client.connect(f"/sessions/{session['id']}/whip")
        assert client.session_id == session["id"]
        await client.line.until(lambda: len(client.line.loud()) > HALF_A_SECOND, 30)
        await client.hang_up()
        await client.over()
    finally:
        await client.line.close()


async def test_sound_alone_is_enough_to_be_greeted_to_ask_and_to_interrupt(embedded_stack: Stack) -> None:
    """One address, one key, one `m=` line: no data channel is offered."""
    client = Client(embedded_stack, embedded_stack.tenant(TENANT)["secret_key"], Caller(channels=False))
    line = client.line
    try:
        await client.connect("/whip/reception")
        assert "m=application" not in line.pc.localDescription.sdp
        await client.turns(lambda rows: len(rows) == 1)
        greeting = len(line.loud())
        assert greeting > HALF_A_SECOND
        await line.say(spoken(QUESTION, rate_hz=48_000))
        await line.until(lambda: len(line.loud()) > greeting + HALF_A_SECOND, 40)
        await line.say(spoken("Okay, thank you very much.", rate_hz=48_000))
        rows = await client.turns(lambda rows: any(row["interrupted"] for row in rows))
        cut = next(row for row in rows if row["interrupted"])
        assert cut["origin"] == "voice" and cut["cancel_reason"] == "USER_BARGE_IN"
        assert "hours" in cut["visitor_text"].lower() and cut["reply_text"]
        await client.hang_up()
        await client.over()
    finally:
        await line.close()


async def test_an_encoder_that_takes_no_sound_is_heard_and_answered_in_writing(embedded_stack: Stack) -> None:
    """Real speech, `sendonly`, as OBS, ffmpeg and GStreamer offer."""
    client = Client(embedded_stack, embedded_stack.tenant(TENANT)["secret_key"], Caller(channels=False, deaf=True))
    line = client.line
    try:
        await client.connect("/whip/reception")
        assert "a=recvonly" in line.pc.remoteDescription.sdp
        await client.turns(lambda rows: len(rows) == 1)
        await line.say(spoken(QUESTION, rate_hz=48_000))
        rows = await client.turns(lambda rows: any(row["origin"] == "voice" for row in rows))
        asked = next(row for row in rows if row["origin"] == "voice")
        assert "hours" in asked["visitor_text"].lower() and "saturday" in asked["reply_text"].lower()
        assert not line.loud()
        await client.hang_up()
        await client.over()
    finally:
        await line.close()
