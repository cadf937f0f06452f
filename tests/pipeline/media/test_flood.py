"""A visitor who is let in sends two hundred packets for each: others are heard meanwhile, and they afterwards."""

import asyncio
import itertools
import struct

from aiortc.rtp import is_rtcp

from pipeline.media.peer import Peer
from tests.fakes.caller import Caller
from tests.pipeline.media.conftest import tone
from tests.pipeline.media.hearing import Ear

TIMES = 200
SECOND = tone(300, 1.0, 48_000)


def multiply(caller: Caller) -> list[int]:
    """Each packet from now on goes out as often as the answer's only entry says, each time as the next in order."""
    transport = caller.pc.getSenders()[0].transport
    send, numbers, times = transport._send_rtp, itertools.count(1), [TIMES]

    async def send_many(data: bytes) -> None:
        if is_rtcp(data):
            await send(data)
            return
        sequence, timestamp = struct.unpack("!HI", data[2:8])
        for _ in range(times[0]):
            number = next(numbers)
            order = struct.pack("!HI", (sequence + number) & 0xFFFF, (timestamp + 960 * number) & 0xFFFFFFFF)
            await send(data[:2] + order + data[8:])

    transport._send_rtp = send_many
    return times


async def heard(peer: Peer, caller: Caller, windows: int) -> None:
    ear = Ear(peer)
    speaking = asyncio.create_task(caller.say(SECOND))
    await ear.until(lambda: len(ear.loud()) >= windows)
    await speaking


async def test_a_flood_starves_nobody_and_ends_no_call(call):
    flooded, flooder = await call()
    other, quiet = await call()
    times = multiply(flooder)
    flood = asyncio.create_task(flooder.say(SECOND))
    await heard(other, quiet, windows=40)
    await flood
    assert flooded.stats()["packets_in"] > 20 * TIMES
    times[0] = 1
    await heard(flooded, flooder, windows=25)
    assert flooded._connection.pc.connectionState == "connected"
