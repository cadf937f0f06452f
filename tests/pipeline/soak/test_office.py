"""What the office says to an offer."""

import asyncio
from typing import Any

import pytest

from pipeline.soak import office
from pipeline.soak.errors import NotNow, Refused
from pipeline.soak.office import Signaling


class FakeSocket:
    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, text: str) -> None:
        self.sent.append(text)


async def offered(monkeypatch: pytest.MonkeyPatch, *messages: dict[str, Any]) -> str:
    monkeypatch.setattr(office, "ANSWER_LIMIT_S", 0.05)
    line = Signaling(FakeSocket())  # type: ignore[arg-type]
    offering = asyncio.create_task(line.offer("v=0"))
    await asyncio.sleep(0)
    for message in messages:
        line._take(message)
    return await offering


async def test_a_place_in_line_is_no_refusal_and_the_answer_may_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotNow, match="number 2 in line"):
        await offered(monkeypatch, {"type": "queued", "place": 2})
    answer = {"type": "answer", "sdp": "v=0 answer"}
    assert await offered(monkeypatch, {"type": "queued", "place": 1}, answer) == "v=0 answer"


async def test_silence_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="no answer"):
        await offered(monkeypatch)
