import asyncio
import random
import re

import pytest

from pipeline.contracts.errors import MediaError
from pipeline.core.clock import MonotonicClock
from pipeline.media import offer, tap
from pipeline.media.peer import answer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import OFFERS, tone


def loud(pcm: bytes) -> bool:
    return max(map(abs, memoryview(pcm).cast("h"))) > 1000


class Ear:
    """Whoever is attached to a line's microphone."""

    def __init__(self, peer) -> None:
        self.sounds, self.ended, self._changed = [], False, asyncio.Event()
        peer.microphone.attach(self._hear, self._end)

    def _hear(self, sound) -> None:
        self.sounds.append(sound)
        self._changed.set()

    def _end(self) -> None:
        self.ended = True
        self._changed.set()

    async def until(self, condition) -> None:
        async with asyncio.timeout(15):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def loud(self) -> list:
        return [sound for sound in self.sounds if loud(sound.pcm)]


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


async def test_what_is_lost_is_made_up_for_and_holds_nothing_else_up(call):
    peer, caller = await call()
    ear = Ear(peer)
    caller.lose([False] * 9 + [True])
    speaking = asyncio.create_task(caller.say(tone(300, 1.0, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 48)
    await speaking
    stats, sounds = peer.stats(), ear.loud()
    assert stats["packets_lost"] >= 3 and stats["packets_concealed"] >= 3
    assert sounds[-1].t_audio_ms - sounds[0].t_audio_ms < 1100, "lost sound does not shift what comes after it"


async def test_the_browser_is_told_how_its_packets_fare(call):
    peer, caller = await call()
    sender = caller.pc.getSenders()[0]
    reports, told = [], asyncio.Event()
    handle = sender._handle_rtcp_packet

    async def keep(packet) -> None:
        reports.extend(getattr(packet, "reports", []))
        if any(report.fraction_lost for report in reports):
            told.set()
        await handle(packet)

    sender._handle_rtcp_packet = keep
    caller.lose([False] * 4 + [True])
    await asyncio.wait_for(told.wait(), 15)
    assert {report.ssrc for report in reports} == {sender._ssrc}


def garble(caller: Caller, packets: int) -> None:
    """The caller's next packets are of random bytes and lengths."""
    sender, dice, left = caller.pc.getSenders()[0], random.Random(1), iter(range(packets))
    encoded = sender._next_encoded_frame

    async def garbled(codec):
        frame = await encoded(codec)
        if next(left, None) is not None:
            frame.payloads = [dice.randbytes(dice.randint(1, 1200))]
        return frame

    sender._next_encoded_frame = garbled


async def test_a_packet_of_garbage_does_not_end_the_call(call):
    peer, caller = await call()
    ear = Ear(peer)
    garble(caller, packets=40)
    await ear.until(lambda: peer.stats()["packets_bad"] >= 5)
    await caller.say(tone(300, 1.5, 48_000))
    await ear.until(lambda: len(ear.sounds) >= 60)
    assert len([sound for sound in ear.sounds[-25:] if loud(sound.pcm)]) >= 20
    assert not ear.ended


async def test_where_aiortc_has_changed_sound_comes_through_its_own_decoder(call, monkeypatch, caplog):
    monkeypatch.setattr(tap, "STREAMS", "_no_such_name")
    peer, caller = await call()
    ear = Ear(peer)
    assert [record.message for record in caplog.records if "_no_such_name" in record.message]
    speaking = asyncio.create_task(caller.say(tone(300, 0.6, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 20)
    await speaking
    assert {len(sound.pcm) for sound in ear.loud()} == {640}
    assert peer.stats()["packets_in"] == 0, "nobody counts"


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
