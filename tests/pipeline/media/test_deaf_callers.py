"""Encoders that offer to send only, as WHIP was made for: heard, and answered in writing."""

import asyncio

import pytest
from aiortc.sdp import SessionDescription

from pipeline.contracts.errors import MediaError
from pipeline.core.clock import MonotonicClock
from pipeline.media import offer
from pipeline.media.peer import answer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import OFFERS, tone
from tests.pipeline.media.hearing import Ear

ENCODERS = ["ffmpeg-whip", "gstreamer-whip"]


def offered(name: str) -> str:
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


@pytest.mark.parametrize("name", ENCODERS)
def test_who_takes_no_sound_is_refused_where_that_is_not_meant(name: str) -> None:
    with pytest.raises(MediaError, match="cannot receive"):
        offer.checked(offered(name))
    assert offer.is_deaf(offer.checked(offered(name), may_be_deaf=True))


@pytest.mark.parametrize("direction", ["inactive", "recvonly"])
def test_who_says_nothing_is_not_deaf(direction: str) -> None:
    sdp = offered("ffmpeg-whip").replace("a=sendonly", f"a={direction}")
    if direction == "inactive":
        with pytest.raises(MediaError, match="cannot receive"):
            offer.checked(sdp, may_be_deaf=True)
    else:
        assert not offer.is_deaf(offer.checked(sdp, may_be_deaf=True))


@pytest.mark.parametrize("name", ENCODERS)
async def test_an_encoders_offer_is_answered_and_its_video_left_out(name: str) -> None:
    clock = MonotonicClock()
    peer, ours = await answer(offered(name), clock=clock, session_t0=clock.now(), may_be_deaf=True)
    media = {each.kind: each for each in SessionDescription.parse(ours).media}
    assert media["audio"].direction == "recvonly"
    assert media["video"].direction == "inactive"
    assert [codec.mimeType for codec in media["audio"].rtp.codecs] == ["audio/opus"]
    await peer.close()


async def test_a_deaf_caller_is_heard_and_replies_take_their_time() -> None:
    caller, clock = Caller(channels=False, deaf=True), MonotonicClock()
    peer, ours = await answer(await caller.offer(), clock=clock, session_t0=clock.now(), may_be_deaf=True)
    await caller.accept(ours)
    ear = Ear(peer)
    speaking = asyncio.create_task(caller.say(tone(300, 0.6, 48_000)))
    first: list[float] = []
    peer.speaker.begin(1, lambda: first.append(clock.now()))
    began = clock.now()
    await peer.speaker.play(tone(440, 0.6, 22_050), 22_050)
    await peer.speaker.drain()
    assert clock.now() - began > 0.5, "it was not paced"
    assert first and peer.speaker.played_ms == pytest.approx(600, abs=1)
    await ear.until(lambda: len(ear.loud()) >= 20)
    await speaking
    assert caller.heard == [], "something was sent to who takes nothing"
    await peer.close()
    await caller.close()


async def test_a_deaf_callers_reply_can_be_interrupted() -> None:
    caller, clock = Caller(channels=False, deaf=True), MonotonicClock()
    peer, ours = await answer(await caller.offer(), clock=clock, session_t0=clock.now(), may_be_deaf=True)
    await caller.accept(ours)
    peer.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(peer.speaker.play(tone(440, 5.0, 48_000), 48_000))
    await asyncio.sleep(0.1)
    assert 0 < peer.speaker.flush() < 2000
    await playing
    await peer.close()
    await caller.close()
