"""Whole calls with loss, garbage, and an aiortc that has changed."""

import asyncio
import itertools
import random

from aiortc.rtp import is_rtcp

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


def shuffle(caller: Caller) -> None:
    """From now on the network delivers every third packet twice, and every fifth after the one that follows it."""
    transport = caller.pc.getSenders()[0].transport
    send, held, numbers = transport._send_rtp, [], itertools.count()

    async def send_shuffled(data: bytes) -> None:
        if is_rtcp(data):
            await send(data)
            return
        number = next(numbers)
        if number % 5 == 0:
            held.append(data)
            return
        await send(data)
        while held:
            await send(held.pop())
        if number % 3 == 0:
            sendto(transport)

    def sendto(transport) -> None:
        """The last datagram again, as it was: SRTP would not protect it twice."""
        protocol, data, address = sent[-1]
        protocol.sendto(data, address)

    sent = watch_datagrams(caller)
    transport._send_rtp = send_shuffled


def watch_datagrams(caller: Caller) -> list:
    """(socket, data, address) of every datagram that the caller sends from now on."""
    sent = []
    pair = caller.pc.getSenders()[0].transport.transport._connection._nominated[1]
    socket = pair.protocol.transport

    async def send_data(data: bytes, address: tuple[str, int]) -> None:
        sent.append((socket, data, address))
        socket.sendto(data, address)

    pair.protocol.send_data = send_data
    return sent


async def test_packets_that_come_twice_and_out_of_order_are_heard_once_and_in_order(call):
    peer, caller = await call()
    ear = Ear(peer)
    shuffle(caller)
    speaking = asyncio.create_task(caller.say(tone(300, 1.0, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 48)
    await speaking
    sounds = ear.loud()
    assert sounds[-1].t_audio_ms - sounds[0].t_audio_ms < 1100
    assert peer.stats()["packets_lost"] <= 2


async def test_a_caller_who_goes_on_under_another_ssrc_is_heard(call):
    peer, caller = await call()
    ear = Ear(peer)
    speaking = asyncio.create_task(caller.say(tone(300, 1.0, 48_000)))
    await ear.until(lambda: len(ear.loud()) >= 10)
    caller.pc.getSenders()[0]._ssrc += 1
    await ear.until(lambda: len(ear.loud()) >= 45)
    await speaking
    assert peer.stats()["packets_lost"] == 0


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
