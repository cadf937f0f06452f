"""Real callers against a small installation: WebRTC, websocket and HTTP on loopback, no product behind them."""

import asyncio

import pytest
from aiortc import RTCRtpReceiver

from pipeline.soak.errors import Usage
from pipeline.soak.run import Settings, run
from tests.fakes.installation import ASSISTANT, KEY, Installation

pytestmark = pytest.mark.slow


def settings(installation: Installation, callers: int = 1) -> Settings:
    pages = (f"{installation.url}/metrics",)
    return Settings(installation.url, ASSISTANT, callers, 5.0, 1.0, 1, pages)


async def run_until(installation: Installation, enough, callers: int = 1, key: str = KEY):
    """Runs until a progress line is enough, then stops. Returns the report."""
    stop = asyncio.Event()

    def emit(message) -> None:
        if message["type"] == "progress" and enough(message):
            stop.set()

    return await run(settings(installation, callers), key, emit, stop)


async def test_callers_speak_listen_interrupt_and_leave_nothing_behind():
    async with Installation().open() as installation:
        report = await run_until(installation, lambda p: p["barge_in_p95_ms"] is not None, callers=2)
        assert report["failures"] == 0, report["failures_by_kind"]
        assert report["steady"]["ttfa_ms"]["count"] >= 2
        assert report["steady"]["server.ttfa_ms"]["p50"] == 20.0
        assert report["steady"]["gap_ms"]["p50"] > report["steady"]["ttfa_ms"]["p50"]
        assert report["server"]["memory_last_mb"] == 100.0
        assert installation.created == installation.ended == 2


async def test_an_assistant_that_hears_nothing_is_a_failure():
    async with Installation(deaf=True).open() as installation:
        report = await run_until(installation, lambda p: p["failures"] > 0)
        assert "not heard" in next(iter(report["failures_by_kind"]))
        assert report["verdict"] == "fail"


async def test_a_caller_that_hears_no_beat_offers_again_in_the_same_session():
    async with Installation(silent_legs=1).open() as installation:
        report = await run_until(installation, lambda p: p["turns"] > 0)
        assert (report["losses"], installation.created) == (1, 1)


async def test_a_full_house_is_asked_again_later():
    async with Installation(busy=1).open() as installation:
        report = await run_until(installation, lambda p: p["turns"] > 0)
        assert (report["waits"], report["failures"]) == (1, 0)


async def test_a_key_that_is_not_known_ends_the_run_in_words():
    async with Installation().open() as installation:
        with pytest.raises(Usage, match="not known"):
            await run_until(installation, lambda p: False, key="pk_wrong")


def test_the_receiver_still_has_the_name_that_callers_listen_at():
    assert callable(RTCRtpReceiver._handle_rtp_packet)
