import asyncio
import re

import pytest

from pipeline.contracts.errors import MediaError
from pipeline.core.clock import MonotonicClock
from pipeline.media import offer
from pipeline.media.peer import answer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import OFFERS, tone
from tests.pipeline.media.hearing import Ear, loud


async def test_a_visitor_is_heard(call):
    peer, caller = await call()
    ear = Ear(peer)
    speaking = asyncio.create_task(caller.say(tone(300, 0.6, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 20)
    await speaking
    sounds = ear.loud()
    assert {len(sound.pcm) for sound in sounds} == {640}
    assert all(b.t_audio_ms > a.t_audio_ms for a, b in zip(sounds[2:], sounds[3:], strict=False))
    stats = peer.stats()
    assert stats["packets_in"] > 20 and stats["packets_lost"] == 0


async def test_a_visitor_with_another_certificate_than_announced_is_not_let_in():
    caller, clock = Caller(), MonotonicClock()
    sdp = re.sub(r"(fingerprint:sha-\d+ )..:..", r"\g<1>00:11", await caller.offer())
    peer, ours = await answer(sdp, clock=clock, session_t0=clock.now())
    accepting = asyncio.create_task(caller.accept(ours))
    async with asyncio.timeout(15):
        assert await peer.closed() in {"failed", "closed"}
    accepting.cancel()
    await asyncio.wait({accepting})
    await peer.close()
    await caller.close()


async def test_a_visitor_hears_the_reply_from_beginning_to_end(call):
    peer, caller = await call()
    first = []
    peer.speaker.begin(1, lambda: first.append(1))
    await peer.speaker.play(tone(440, 0.6, 22_050), 22_050)
    await peer.speaker.drain()
    await caller.until(lambda: len(caller.loud()) >= 29)
    assert first == [1]
    assert peer.speaker.played_ms == pytest.approx(600, abs=1)
    assert all(b.pts - a.pts >= 960 for a, b in zip(caller.heard, caller.heard[1:], strict=False))


async def test_what_comes_after_a_pause_is_heard_too(call):
    peer, caller = await call()
    peer.speaker.begin(1, lambda: None)
    await peer.speaker.play(tone(440, 0.2, 48_000), 48_000)
    await peer.speaker.drain()
    await caller.until(lambda: len(caller.heard) >= 10 + 4)  # the silent packets push the last sound through
    before = len(caller.loud())
    peer.speaker.begin(2, lambda: None)
    await peer.speaker.play(tone(440, 0.4, 48_000), 48_000)
    await caller.until(lambda: len(caller.loud()) >= before + 15)


async def test_a_flush_silences_the_line(call):
    peer, caller = await call()
    peer.speaker.begin(1, lambda: None)
    playing = asyncio.create_task(peer.speaker.play(tone(440, 5.0, 48_000), 48_000))
    await caller.until(lambda: len(caller.loud()) >= 10)
    played_ms = peer.speaker.flush()
    await playing
    sent = peer.stats()["packets_out"]
    await caller.until(lambda: len(caller.heard) and not loud(caller.heard[-1].pcm))
    assert played_ms < 2000
    assert len(caller.loud()) * 20 <= played_ms + 40
    assert peer.stats()["packets_out"] - sent <= 12


async def test_page_and_session_talk_over_the_data_channels(call):
    peer, caller = await call()
    got = []
    peer.on_control = got.append
    caller.send({"type": "beat"})
    caller.control.send("no json")
    await caller.until(lambda: peer.control({"type": "stop", "reply": 1}) and peer.face({"seq": 1}))
    await caller.until(lambda: caller.controls and caller.faces)
    caller.send({"type": "chat", "text": "hello"})
    ear = Ear(peer)
    await ear.until(lambda: len(got) == 2)
    assert got == [{"type": "beat"}, {"type": "chat", "text": "hello"}]
    assert peer.stats()["messages_garbage"] == 1


async def test_anything_that_comes_from_the_visitor_counts_as_heard(call):
    peer, caller = await call()
    before, ear = peer.last_heard, Ear(peer)
    await ear.until(lambda: len(ear.sounds) >= 5)
    assert peer.last_heard > before


async def test_when_the_visitor_hangs_up_the_call_says_so_and_the_microphone_ends(call):
    peer, caller = await call()
    ear = Ear(peer)
    await caller.close()
    async with asyncio.timeout(15):
        assert await peer.closed() == "closed"
    await ear.until(lambda: ear.ended)


async def test_closing_twice_and_at_once_is_one_closing(call):
    peer, caller = await call()
    await asyncio.gather(peer.close(), peer.close())
    await peer.close()
    assert await peer.closed() == "closed"
    assert not peer.control({}) and not peer.face({})
    await peer.add_candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host", "0", 0)
    await asyncio.wait_for(caller.hung_up.wait(), 15)


@pytest.mark.parametrize("name", ["chromium.sdp", "chromium-mdns.sdp", "aiortc.sdp"])
async def test_real_offers_are_answered_with_opus_alone_and_all_our_candidates(name):
    clock = MonotonicClock()
    peer, sdp = await answer((OFFERS / name).read_text(), clock=clock, session_t0=clock.now())
    assert re.findall(r"a=rtpmap:\d+ (\S+)", sdp) == ["opus/48000/2"]
    assert "useinbandfec=1" in sdp and "usedtx=1" in sdp and "a=sendrecv" in sdp
    assert re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+)", sdp) == ["127.0.0.1"] * sdp.count("m=")
    await peer.close()


async def test_a_call_closes_while_it_is_still_connecting():
    caller, clock = Caller(), MonotonicClock()
    peer, _ = await answer(await caller.offer(), clock=clock, session_t0=clock.now())
    await asyncio.sleep(0)
    await peer.close()
    await caller.close()


async def test_a_visitor_who_hides_its_addresses_is_connected(call):
    caller, clock = Caller(), MonotonicClock()
    sdp = (await caller.offer()).replace("127.0.0.1", "0e96c579-715a-4dd7-a321-2764b5a9d0d1.local")
    peer, ours = await answer(sdp, clock=clock, session_t0=clock.now())
    hidden = "candidate:1 1 udp 2113937151 ccc4fc0e-80d2-40d2-8e6f-ccab889fc113.local 59062 typ host"
    await peer.add_candidate(hidden, "0", 0)
    await peer.add_candidate("", None, None)
    await caller.accept(ours)
    await peer.close()
    await caller.close()


async def test_trickled_candidates_find_the_way():
    caller, clock = Caller(), MonotonicClock()
    whole = await caller.offer()
    lines = re.findall(r"a=(candidate:\S+ 1 udp .*?)\r\n", whole)
    without = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", whole)
    peer, ours = await answer(without, clock=clock, session_t0=clock.now())
    for line in lines:
        await peer.add_candidate(line, "0", 0)
    await caller.accept(ours)
    await peer.close()
    await caller.close()


async def test_candidates_without_end_are_refused():
    clock = MonotonicClock()
    peer, _ = await answer((OFFERS / "chromium.sdp").read_text(), clock=clock, session_t0=clock.now())
    with pytest.raises(MediaError, match="too many candidates"):
        for port in range(1, offer.CANDIDATE_LIMIT + 2):
            await peer.add_candidate(f"candidate:1 1 udp 1 127.0.0.1 {port} typ host", "0", 0)
    await peer.close()


async def test_video_is_answered_with_nothing_and_costs_nothing():
    clock = MonotonicClock()
    caller = Caller()
    caller.pc.addTransceiver("video")
    peer, ours = await answer(await caller.offer(), clock=clock, session_t0=clock.now())
    await caller.accept(ours)
    assert "a=inactive" in ours.split("m=video")[1]
    await peer.close()
    await caller.close()


async def test_an_offer_that_parses_but_makes_no_sense_is_refused_and_nothing_is_left():
    clock = MonotonicClock()
    for change in (("opus/48000/2", "opus/8000/1"), ("a=rtcp-mux\n", ""), ("a=ice-pwd:", "a=x:")):
        text = (OFFERS / "chromium.sdp").read_text().replace("\r\n", "\n").replace(*change)
        with pytest.raises(MediaError):
            await answer(text, clock=clock, session_t0=clock.now())


async def test_a_stun_server_that_does_not_answer_costs_a_second_at_most():
    clock = MonotonicClock()
    servers = [{"urls": "stun:127.0.0.1:9"}]
    text = (OFFERS / "chromium.sdp").read_text()
    peer, sdp = await answer(text, ice_servers=servers, clock=clock, session_t0=clock.now())
    assert "a=candidate:" in sdp
    await peer.close()


async def test_an_answer_that_is_cancelled_leaves_nothing():
    clock = MonotonicClock()
    text = (OFFERS / "chromium.sdp").read_text()
    task = asyncio.create_task(
        answer(text, ice_servers=[{"urls": "stun:127.0.0.1:9"}], clock=clock, session_t0=clock.now())
    )
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
