"""What a call costs in the media room alone: CPU seconds of the answering process per session-minute.

    python benchmarks/media.py [sessions] [seconds]

Callers run in a process of their own, over loopback. Each sends 50 packets a second all the time; for 30 % of the time
it is spoken to (speech-like sound, 22,050 Hz). The microphone is read. No engines run.
"""

import asyncio
import math
import multiprocessing
import random
import sys
import time
from array import array
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.contracts.errors import StreamEnded
from pipeline.core.clock import MonotonicClock
from pipeline.media.addresses import LOOPBACK, gather_only
from pipeline.media.peer import Peer, answer

RATE_HZ = 22_050
DUTY = 0.3
ROUND_S = 10.0


def speechlike(seconds: float) -> bytes:
    """Noisy harmonics with a syllable rhythm: dearer to encode than a sine."""
    dice = random.Random(1)
    samples = array("h")
    for i in range(int(RATE_HZ * seconds)):
        t = i / RATE_HZ
        envelope = max(0.0, math.sin(2 * math.pi * 4 * t))
        voiced = sum(math.sin(2 * math.pi * 120 * h * t) / h for h in range(1, 8))
        samples.append(int(envelope * (5000 * voiced + dice.gauss(0, 800)) / 2))
    return samples.tobytes()


def callers(pipe: Connection, count: int) -> None:
    from tests.fakes.caller import Caller

    async def run() -> None:
        gather_only(LOOPBACK)
        made = [Caller() for _ in range(count)]
        for caller in made:
            pipe.send(await caller.offer())
            await caller.accept(await asyncio.to_thread(pipe.recv))
        pipe.send("connected")
        await asyncio.to_thread(pipe.recv)
        for caller in made:
            await caller.close()

    asyncio.run(run())


async def listen(peer: Peer) -> None:
    try:
        while True:
            await peer.microphone.read()
    except StreamEnded:
        return


async def speak(peer: Peer, sound: bytes, rounds: int) -> None:
    for reply in range(rounds):
        began = time.monotonic()
        peer.speaker.begin(reply, lambda: None)
        await peer.speaker.play(sound, RATE_HZ)
        await peer.speaker.drain()
        await asyncio.sleep(ROUND_S - (time.monotonic() - began))


async def measure(count: int, seconds: float) -> None:
    gather_only(LOOPBACK)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=callers, args=(theirs, count))
    process.start()
    clock, peers = MonotonicClock(), []
    for _ in range(count):
        peer, sdp = await answer(await asyncio.to_thread(ours.recv), clock=clock, session_t0=clock.now())
        ours.send(sdp)
        peers.append(peer)
    await asyncio.to_thread(ours.recv)
    listeners = [asyncio.create_task(listen(peer)) for peer in peers]
    sound = speechlike(ROUND_S * DUTY)
    wall, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(speak(peer, sound, round(seconds / ROUND_S)) for peer in peers))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    stats = [peer.stats() for peer in peers]
    ours.send("enough")
    await asyncio.gather(*(peer.close() for peer in peers), *listeners)
    await asyncio.to_thread(process.join)
    delay = sum(s["jitter_buffer_ms"] for s in stats) / count
    packets = sum(s["packets_in"] for s in stats) / count / wall
    print(
        f"{count} sessions, {wall:.0f} s: {cpu / count / (wall / 60):.2f} CPU-s per session-minute, "
        f"{packets:.1f} packets/s in, {delay:.1f} ms from socket to microphone"
    )


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]] + [8, 30][len(sys.argv) - 1 :]
    asyncio.run(measure(arguments[0], arguments[1]))
