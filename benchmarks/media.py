"""What a call costs in the media room alone, and what it delivers. No engines run.

    python -m benchmarks.media [--sessions 64] [--seconds 30] [--loss 0.05] [--json]

Callers run in a process of their own, over loopback, on the other core. Each sends 50 packets a second all the time
(speech-like for 30 % of it), and is spoken to for 30 % of the time. Sound that reaches the microphone is counted.
"""

import argparse
import asyncio
import ctypes
import gc
import json
import multiprocessing
import os
import platform
import random
import time
from typing import Any

import psutil

from benchmarks.media_callers import DUTY, RING, ROUND_S, TICKS, callers, speechlike
from pipeline.contracts.audio import AudioPacket, Sound
from pipeline.core.clock import MonotonicClock
from pipeline.media.addresses import LOOPBACK, gather_only
from pipeline.media.peer import Peer, answer

RATE_HZ = 22_050
WARM_UP_S = 3.0
GAP_S = 0.06


class Measured:
    """One session: what comes in, what goes out, and when."""

    def __init__(self, peer: Peer, sent: Any, offset: int) -> None:
        self.peer = peer
        self.pieces = 0
        self.frames_out = 0
        self.delays_ms: list[float] = []
        self.gaps_ms: list[float] = []
        self._sent, self._offset = sent, offset
        self._out: tuple[float, float] | None = None
        peer.microphone.attach(self._hear, lambda: None)
        peer.speaker.tap("", self._went_out)
        self._watch_arrivals()

    def reset(self) -> None:
        self.pieces, self.frames_out = 0, 0
        self.delays_ms.clear()
        self.gaps_ms.clear()

    def _hear(self, sound: Sound) -> None:
        self.pieces += 1

    def _went_out(self, packet: AudioPacket) -> None:
        """A gap is one in time that the audio clock does not show as a pause."""
        now = time.monotonic()
        if self._out and packet.t_audio_ms - self._out[1] < 21:
            self.gaps_ms.append((now - self._out[0]) * 1000)
        self._out = (now, packet.t_audio_ms)
        self.frames_out += 1

    def _watch_arrivals(self) -> None:
        """Sending of a packet by the caller -> its sound is in the microphone."""
        decoding = self.peer._incoming._decoding
        assert decoding is not None
        heard = decoding.packet

        def packet(timestamp: int, payload: bytes) -> None:
            heard(timestamp, payload)
            sent_s = self._sent[self._offset + timestamp // TICKS % RING]
            self.delays_ms.append((time.monotonic() - sent_s) * 1000)

        decoding.packet = packet  # type: ignore[method-assign]


async def speak(peer: Peer, sound: bytes, until: float, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    reply = 0
    while (began := time.monotonic()) < until:
        reply += 1
        peer.speaker.begin(reply, lambda: None)
        await peer.speaker.play(sound, RATE_HZ)
        await peer.speaker.drain()
        await asyncio.sleep(ROUND_S - (time.monotonic() - began))


async def measure(count: int, seconds: float, loss: float) -> dict[str, Any]:
    gather_only(LOOPBACK)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    sent = context.RawArray(ctypes.c_double, count * RING)
    cores = sorted(os.sched_getaffinity(0))
    other = cores[-1] if len(cores) > 1 else None
    process = context.Process(target=callers, args=(theirs, sent, count, loss, other))
    process.start()
    os.sched_setaffinity(0, {cores[0]})
    memory_mb = _memory_mb()
    clock, lines = MonotonicClock(), []
    for place in range(count):
        peer, sdp = await answer(await asyncio.to_thread(ours.recv), clock=clock, session_t0=clock.now())
        ours.send(sdp)
        lines.append(Measured(peer, sent, place * RING))
    await asyncio.to_thread(ours.recv)
    sound, dice = speechlike(ROUND_S * DUTY, RATE_HZ), random.Random(3)
    until = time.monotonic() + WARM_UP_S + seconds
    speaking = [asyncio.create_task(speak(line.peer, sound, until, dice.random() * ROUND_S)) for line in lines]
    await asyncio.sleep(WARM_UP_S)
    gc.collect()
    gc.freeze()
    for line in lines:
        line.reset()
    wall, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    result = _result(lines, wall, cpu, _memory_mb() - memory_mb)
    for task in speaking:
        task.cancel()
    await asyncio.gather(*speaking, return_exceptions=True)
    ours.send("enough")
    await asyncio.to_thread(ours.recv)
    await asyncio.gather(*(line.peer.close() for line in lines))
    await asyncio.to_thread(process.join)
    return {"machine": _machine(), "sessions": count, "seconds": round(wall, 1), "loss": loss, **result}


def _result(lines: list[Measured], wall: float, cpu: float, memory_mb: float) -> dict[str, Any]:
    stats, count = [line.peer.stats() for line in lines], len(lines)
    gaps = [gap for line in lines for gap in line.gaps_ms]
    return {
        "cpu_s_per_session_min": round(cpu / count / (wall / 60), 3),
        "cpu_us_per_frame": round(cpu * 1e6 / max(1, sum(line.pieces + line.frames_out for line in lines)), 1),
        "core_used": round(cpu / wall, 3),
        "frames_per_s": round(sum(line.pieces for line in lines) / count / wall, 2),
        "frames_per_s_worst": round(min(line.pieces for line in lines) / wall, 2),
        "frames_out": sum(line.frames_out for line in lines),
        "uplink_ms": _spread([delay for line in lines for delay in line.delays_ms]),
        "output_gap_ms": _spread(gaps),
        "gaps_over_60ms": sum(gap > GAP_S * 1000 for gap in gaps),
        "longest_hold_ms": round(max(s["longest_hold_ms"] for s in stats), 1),
        "packets_lost": int(sum(s["packets_lost"] for s in stats)),
        "packets_concealed": int(sum(s["packets_concealed"] for s in stats)),
        "rss_mb_per_session": round(memory_mb / count, 2),
    }


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    values = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: round(values[int(len(values) * q)], 2) for name, q in at.items()} | {"max": round(values[-1], 2)}


def _memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def _machine() -> dict[str, Any]:
    load = round(os.getloadavg()[0], 1)
    return {"cpus": os.cpu_count(), "python": platform.python_version(), "load": load, "loop_ms": _loop_ms()}


def _loop_ms() -> float:
    """CPU time of a fixed piece of Python, here and now: neighbours on a busy machine make every figure dearer."""
    began, total = time.process_time(), 0
    for i in range(500_000):
        total += i * i % 7
    return round((time.process_time() - began) * 1000, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media", description=__doc__)
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--loss", type=float, default=0.0, help="share of the callers' packets that get lost")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args()
    result = asyncio.run(measure(options.sessions, options.seconds, options.loss))
    print(json.dumps(result) if options.json else "\n".join(f"{name}: {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
