"""A visitor made of aiortc who calls an installation over its public API, and calls again when the line is dead."""

import asyncio
import time
from typing import Any

from tests.fakes.caller import Caller
from tests.speech import spoken
from tests.stack import Stack

QUESTION = "What are your opening hours on Saturday?"
BEAT_LOST_S = 3.0


class Phone:
    """One session. `connect` places an offer (again: the session resumes as its next leg)."""

    def __init__(self, stack: Stack, tenant: str) -> None:
        self.stack, self.tenant = stack, tenant
        self.session: dict[str, Any] = {}
        self.caller: Caller | None = None
        self.controls: list[dict[str, Any]] = []
        """Everything said on the control channels of the legs that are over."""

    @property
    def id(self) -> str:
        return str(self.session["id"])

    @property
    def line(self) -> Caller:
        assert self.caller is not None, "not connected"
        return self.caller

    async def dial(self) -> "Phone":
        key = self.stack.tenant(self.tenant)["secret_key"]
        body = {"assistant": "reception", "channel": "voice"}
        status, self.session = await asyncio.to_thread(self.stack.api, "POST", "/sessions", body, key)
        assert status == 201, self.session
        await self.connect()
        return self

    async def offer(self, caller: Caller) -> tuple[int, Any]:
        body = {"sdp": await caller.offer(), "type": "offer"}
        return await asyncio.to_thread(
            self.stack.api, "POST", f"/sessions/{self.id}/offer", body, self.session["token"]
        )

    async def connect(self) -> None:
        await self.hang_up()
        caller = Caller()
        status, answer = await self.offer(caller)
        if status != 200:
            await caller.close()
            raise AssertionError(f"the offer was answered with {status}: {answer}")
        await caller.accept(answer["sdp"])
        await caller.until(caller.control_open.is_set)
        caller.send({"type": "beat"})
        self.caller = caller

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in (*self.controls, *(self.caller.controls if self.caller else ())) if m.get("event") == kind]

    def spoken_turns(self) -> list[dict[str, Any]]:
        return [e for e in self.events("turn.done") if e["origin"] == "voice"]

    async def greeted(self) -> None:
        """Until the greeting has been said."""
        await self.line.until(lambda: self.events("turn.done"), 30)

    async def ask(self, text: str = QUESTION) -> dict[str, Any]:
        """Say it, hear the whole reply; returns its `turn.done`."""
        count = len(self.spoken_turns())
        await self.line.say(spoken(text, rate_hz=48_000))
        await self.line.until(lambda: len(self.spoken_turns()) > count, 40)
        return self.spoken_turns()[-1]

    async def line_dead(self, limit_s: float = 20.0) -> None:
        """Until no beat has come for as long as a page would wait."""
        deadline = time.monotonic() + limit_s
        beats = -1
        while time.monotonic() < deadline:
            now = sum(m.get("type") == "beat" for m in self.line.controls)
            if now == beats:
                return
            beats = now
            await asyncio.sleep(BEAT_LOST_S)
        raise AssertionError("the line is alive")

    async def turns(self, count: int, limit_s: float = 40.0) -> list[dict[str, Any]]:
        """The spoken, finished turns of this session in the database, once there are `count`."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            rows = await asyncio.to_thread(self.stack.turns, self.tenant, self.id)
            found = [t for t in rows if t["finished"] and t["origin"] == "voice"]
            if len(found) >= count:
                break
            await asyncio.sleep(0.3)
        ids = [t["turn_id"] for t in found]
        assert len(ids) == len(set(ids)), "a turn is there twice"
        assert len(found) == count, f"{len(found)} turns instead of {count}"
        return found

    async def hang_up(self) -> None:
        if self.caller is not None:
            self.controls += self.caller.controls
            await self.caller.close()
            self.caller = None
