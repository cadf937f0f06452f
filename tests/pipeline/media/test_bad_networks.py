"""Whole calls with loss, garbage, and an aiortc that has changed."""

import asyncio
import random

from pipeline.media import tap
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.hearing import Ear, loud


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
